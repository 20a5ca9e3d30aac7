"""The page on speed says what the kept numbers say, and says so where there are none."""

import json

import pytest

from benchmarks import measuring, speed_page
from benchmarks.equivalence import within


def test_the_page_is_that_of_the_kept_numbers():
    assert speed_page.PAGE.read_text(encoding="utf-8") == speed_page.page()


def test_what_was_not_measured_is_not_filled_in(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    assert speed_page.page().count("\nNot measured.\n") == len(speed_page.SECTIONS)
    numbers = {"machine": {"processor": "x", "cores": 2, "python": "3", "load": 1.0}}
    seconds = {"python -c pass": [1.0, 2.0], "nasablate --help": [20.0, 60.0]}
    (tmp_path / "start.json").write_text(json.dumps({**numbers, "seconds": seconds}))
    assert "| `nasablate --help` | 40 (20 to 60) | 25 (20 to 30) | at most 25: kept |" in (
        speed_page.page()
    )


def test_epochs_on_a_gpu_are_judged_by_gain_and_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "RESULTS", tmp_path)
    rates = {"textbook": [10_000.0, 10_000.0], "nasablate": [20_000.0, 20_000.0],
             "graphs": [40_000.0, 25_000.0]}  # fmt: skip
    answer = {"network": "net", "batch": 128, "workers": 8, "goal": 3.0, "most_seconds": 1.7,
              "rates": rates}  # fmt: skip
    machine = {"processor": "x", "cores": 16, "python": "3", "load": 1.0}
    found = {"machine": machine, "torch": "2", "device": "H200", "answers": [answer]}
    (tmp_path / "step-cuda.json").write_text(json.dumps(found))
    eager, graphs = [line for line in speed_page.page().splitlines() if line.startswith("| net |")]
    assert eager.endswith("| 2 (2 to 2) |  | 2.5 (2.5 to 2.5) |  |")
    assert graphs.endswith(
        "| 3.25 (2.5 to 4) | at least 3: kept | 1.62 (1.25 to 2) | at most 1.7: kept |"
    )


def test_forms_take_turns_in_alternating_order():
    order: list[str] = []

    def form(name):
        return lambda: order.append(name) or float(len(order))

    found = measuring.take_turns({"a": form("a"), "b": form("b")}, 2)
    assert order == ["a", "b", "b", "a"]
    assert found == {"a": [1.0, 4.0], "b": [2.0, 3.0]}


def test_the_work_of_this_process_counts_for_the_tree():
    before = measuring.tree_seconds()
    sum(number * number for number in range(3_000_000))
    spent = measuring.seconds_between(before, measuring.tree_seconds())
    assert 0.01 < spent < 60


@pytest.mark.parametrize(("shift", "verdict"), [(0.0, "equivalent"), (0.9, "undecided")])
def test_only_a_mean_well_within_the_margin_is_equivalent(shift, verdict):
    differences = [shift + each for each in (0.3, -0.3, 0.2, -0.2, 0.1, -0.1, 0.4, -0.4)]
    found = within(differences, 1.0)
    assert str(found["verdict"]).startswith(verdict)
    assert float(found["low"]) < shift < float(found["high"])
