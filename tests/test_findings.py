"""What studies/pyramidnet-blocks/FINDINGS.md says, against the records beside it."""

from functools import cache
from pathlib import Path
from statistics import fmean

import pytest

from nasablate.analysis.judgement import judge_arms
from nasablate.analysis.paired import Interval, compare
from nasablate.genome import load_ablation
from nasablate.search.ablation_tables import CellErrors, effect_tables
from nasablate.search.records_csv import read_records

FOLDER = Path(__file__).resolve().parents[1] / "studies" / "pyramidnet-blocks"
SPEC = load_ablation(FOLDER / "reduced.yaml")
SAID = (FOLDER / "FINDINGS.md").read_text(encoding="utf-8")
VARIANTS = {
    "baseline": "a",
    "first_relu=remove": "b",
    "final_bn=with": "c",
    "first_relu=remove, final_bn=with": "d",
}


@cache
def arms() -> dict[str, CellErrors]:
    """Return the recorded arms in the order of the table, with their test errors by replicate."""
    errors: dict[str, dict[int, float]] = {name: {} for name in VARIANTS}
    for row in read_records(FOLDER / "records.csv"):
        assert row.state == "complete"
        name = str(row.attributes["arm"])
        errors[name][int(row.attributes["replicate"])] = row.readings[-1].error
    return {name: CellErrors(name, levels_of(name), "", own) for name, own in errors.items()}


def levels_of(name: str) -> dict[str, str]:
    changed = dict(pair.split("=") for pair in name.split(", ") if "=" in pair)
    return {"first_relu": "keep", "final_bn": "without"} | changed


def ends(interval: Interval | None) -> str:
    assert interval is not None
    return f"{interval.low:+.2f} to {interval.high:+.2f}"


def arm_rows() -> list[str]:
    """Return the table of arms as FINDINGS.md has it."""
    reference, *others = arms().values()
    values = {arm.name: arm.errors for arm in others}
    judged = judge_arms(reference.errors, values, seeds=SPEC.seeds, margin=SPEC.margin)
    first = (
        f"| baseline | a | 8/8 | {fmean(reference.errors.values()):.2f} | | | | | | | reference |"
    )
    rows = [first]
    for arm in others:
        own, seeds = judged[arm.name], sorted(arm.errors)
        found = compare([reference.errors[r] for r in seeds], [arm.errors[r] for r in seeds])
        mean = fmean(arm.errors.values())
        rows.append(
            f"| {arm.name} | {VARIANTS[arm.name]} | {len(seeds)}/8 | {mean:.2f}"
            f" | {own.difference:+.2f} | {ends(own.interval)} | {ends(found.unpaired)}"
            f" | {found.correlation:+.2f} | {own.p:.4f} | {own.holm_p:.4f} | {own.verdict} |"
        )
    return rows


def effect_rows() -> list[str]:
    """Return the table of effects as FINDINGS.md has it."""
    (table,) = effect_tables(SPEC, list(arms().values()))
    return [
        f"| {own.name} | {own.n} | {own.estimate:+.2f} | {ends(own.interval)} | {own.p:.4f}"
        f" | {own.holm_p:.4f} | {own.finding} |"
        for own in table.effects
    ]


@pytest.mark.parametrize("row", [*arm_rows(), *effect_rows()])
def test_every_row_is_that_of_the_records(row: str) -> None:
    assert row in SAID.splitlines()


def test_the_answer_has_the_numbers_of_the_tables() -> None:
    together = judge_arms(
        arms()["baseline"].errors,
        {name: own.errors for name, own in arms().items() if name != "baseline"},
        seeds=SPEC.seeds,
    )["first_relu=remove, final_bn=with"]
    interval = together.interval
    assert interval is not None
    text = " ".join(SAID.split())
    assert (
        f"{-(together.difference or 0):.2f} points less test error (95 % interval"
        f" {-interval.high:.2f} to {-interval.low:.2f}, n = 8 paired seeds, Holm p ="
        f" {together.holm_p:.3f})"
    ) in text
    (table,) = effect_tables(SPEC, list(arms().values()))
    for effect in table.effects:
        assert effect.interval is not None
        size = f"{effect.estimate:+.2f} points ({ends(effect.interval)}, Holm p"
        assert f"{size} = {effect.holm_p:.3f}" in text, effect.name
