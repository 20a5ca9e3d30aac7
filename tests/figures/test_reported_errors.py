"""Reported beside measured errors; what is not available is never drawn."""

from nasablate.figures.reported import reported_data
from nasablate.figures.reported_plot import reported_plot
from tests.figures.ablations import factorial

ROWS = [
    {"arm": {"bn": "with"}, "value": 9.5, "std": 0.2, "n": 5, "source": "a paper, table 1"},
    {"arm": {"relu": "remove", "bn": "with"}, "source": "a paper, table 2", "note": "not read"},
    {"arm": {}, "value": 8.0, "source": "another paper",
     "protocol": {"training": {"epochs": 300}}},
]  # fmt: skip


def test_rows_stand_beside_their_arms():
    found = reported_data(factorial(reported=ROWS)).rows
    assert [row.arm for row in found] == ["bn=with", "relu=remove, bn=with", "baseline"]
    assert [row.gap for row in found] == [2.25, None, 3.5]
    assert found[0].reported_text == "9.50 % \N{PLUS-MINUS SIGN} 0.20 (n = 5)"
    assert found[1].reported_text == "not available"
    assert found[2].reported_text == "8.00 % (n not said)"
    assert found[0].protocol_text == "the source's protocol is not given"
    assert found[2].protocol_text == "epochs 300, here none"


def test_only_available_numbers_are_drawn():
    found = reported_data(factorial(reported=ROWS))
    reported, measured = reported_plot(found).data
    assert list(reported.x) == [9.5, 8.0]
    assert list(reported.error_x.array) == [0.2, 0]
    assert list(measured.x) == [11.75, 11.5]
    assert "relu=remove, bn=with" not in found.alt_text()


def test_an_arm_without_results_keeps_its_reported_number():
    errors = {
        "baseline": [10.0, 11.0, 12.0, 13.0],
        "bn=with": [None] * 4,
        "relu=remove": [10.0, 11.0, 12.0, 13.0],
        "relu=remove, bn=with": [10.0, 11.0, 12.0, 13.0],
    }
    found = reported_data(factorial(errors, reported=ROWS))
    assert found.rows[0].measured_text == "not measured"
    reported, measured = reported_plot(found).data
    assert len(reported.x) == 2
    assert list(measured.x) == [11.5]
