"""docs/exactness.md lists every preset, its counts are current, and what it says was measured."""

from benchmarks.exactness import (
    FAMILIES,
    LIMIT,
    NOTHING,
    TABLE,
    counted,
    kept,
    markdown,
    read_table,
)
from nasablate.genome import genome_presets
from tests.nets.oracle_roles import ORACLES

RENEW = "run python -m benchmarks.exactness --write"


def test_every_preset_is_of_one_family() -> None:
    for name in genome_presets():
        titles = [title for title, starts in FAMILIES.items() if name.startswith(starts)]
        assert len(titles) == 1, name


def test_the_table_is_current() -> None:
    old = read_table()
    assert set(old) == set(genome_presets()), RENEW
    rows = [kept(row, old) for row in counted()]
    assert TABLE.read_text(encoding="utf-8") == markdown(rows), f"{RENEW} --counts-only"


def test_every_preset_equals_its_reference_and_was_compared() -> None:
    for name, cells in read_table().items():
        _, _, _, reference, equal, checked, error, _ = cells
        assert reference != NOTHING, name
        assert equal.startswith("params"), name
        assert checked != NOTHING, f"{name}: {RENEW}"
        assert float(error) < LIMIT, name


def test_every_comparison_with_another_library_is_in_the_table() -> None:
    table = read_table()
    missing = [
        oracle.described
        for oracle in ORACLES
        if oracle.described not in table[oracle.preset][5].split("; ")
    ]
    assert not missing, RENEW
