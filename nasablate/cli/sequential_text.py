"""A sequential ablation for people: its arms at their looks, and the looks themselves."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nasablate.cli.ablation_plan_text import wrapped
from nasablate.cli.output import ABSENT, format_table
from nasablate.report.sequential_words import (
    bounds_sentence,
    spread_sentence,
    trainings_sentence,
)

if TYPE_CHECKING:
    from nasablate.search.ablation_result import AblationResult, ArmResult
    from nasablate.search.looks import Looks

_ARMS = [
    "arm", "params", "n", "error %", "difference", "sequential 95 %", "look", "sequential verdict",
]  # fmt: skip


def sequential_table(result: "AblationResult", looks: "Looks") -> str:
    """Return a row per arm: what it came to, and at which look."""
    rows = [_row(arm, result, len(looks.plan.looks)) for arm in result.arms]
    return format_table(_ARMS, rows)


def _row(arm: "ArmResult", result: "AblationResult", last: int) -> list[object]:
    mean = ABSENT if arm.mean is None else f"{arm.mean:.2f}"
    head: list[object] = [arm.name, arm.params, f"{len(arm.errors)}/{result.wanted(arm)}", mean]
    judged = arm.judgement
    if judged is None:
        return [*head, ABSENT, ABSENT, ABSENT, "reference"]
    ends = judged.interval
    return [
        *head,
        ABSENT if judged.difference is None else f"{judged.difference:+.2f}",
        ABSENT if ends is None else f"{ends.low:+.2f} to {ends.high:+.2f}",
        f"{arm.look} of {last}" if arm.look else ABSENT,
        judged.verdict,
    ]


def look_lines(result: "AblationResult", looks: "Looks") -> Iterator[str]:
    """Yield why every arm has its verdict, the looks with their bounds, and what they saw."""
    for arm in result.arms[1:]:
        if arm.judgement is not None:
            yield from wrapped(f"  {arm.name}: {arm.judgement.verdict}, {arm.judgement.reason}")
    yield ""
    yield from wrapped(bounds_sentence(looks))
    if found := spread_sentence(looks):
        yield from wrapped(found)
    yield trainings_sentence(looks, sum(result.counts.values()))
