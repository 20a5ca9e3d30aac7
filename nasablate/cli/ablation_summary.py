"""The table an ablation ends with: arms, differences, intervals, verdicts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from nasablate.cli.options import DEFAULT_STORAGE
from nasablate.cli.output import ABSENT, format_table

if TYPE_CHECKING:
    from nasablate.analysis.paired import Interval
    from nasablate.search.ablation_result import AblationResult, ArmResult

_HEADERS = [
    "arm", "params", "n", "error %", "difference", "paired 95 %", "unpaired 95 %", "r", "p",
    "Holm p", "verdict",
]  # fmt: skip


def ablation_summary(result: "AblationResult") -> str:
    """Return the result of an ablation as text."""
    return "\n".join(_lines(result))


def _lines(result: "AblationResult") -> Iterator[str]:
    yield f"{result.name}: {result.question}".rstrip(": ")
    yield (
        f"{result.part} error in percent, {result.seeds} seeds; differences from "
        f"{result.arms[0].name!r} in percentage points, negative is better"
    )
    yield ""
    yield format_table(_HEADERS, [_row(arm, result.seeds) for arm in result.arms])
    yield ""
    yield (
        "better and worse need a paired t interval without zero and an exact sign-flip p of at "
        "most 0.05 after Holm"
    )
    if result.seeds < result.seeds_needed:
        yield (
            f"undecided by design: {result.seeds} seeds cannot reach it with "
            f"{len(result.arms) - 1} arms, {result.seeds_needed} can; raise seeds and run again"
        )
    for failure in result.failures:
        yield f"missing: {failure}"
    for item in result.reported:
        value = "not available" if item["value"] is None else f"{item['value']:g} %"
        note = f" ({item['note']})" if item["note"] else ""
        yield f"reported: {_arm_text(item['arm'])}: {value}, {item['source']}{note}"
    yield f"database  {result.url}"
    option = "" if result.url == DEFAULT_STORAGE else f" --storage {result.url}"
    yield f"look at it  nasablate dashboard{option}"


def _row(arm: "ArmResult", seeds: int) -> list[object]:
    mean = ABSENT if arm.mean is None else f"{arm.mean:.2f}"
    head: list[object] = [arm.name, arm.params, f"{len(arm.errors)}/{seeds}", mean]
    found = arm.comparison
    if found is None:
        return [*head, *[ABSENT] * 6, arm.verdict or "reference"]
    return [
        *head,
        f"{found.difference:+.2f}",
        _interval(found.paired),
        _interval(found.unpaired),
        ABSENT if found.correlation is None else f"{found.correlation:+.2f}",
        ABSENT if found.p is None else f"{found.p:.4f}",
        ABSENT if arm.holm_p is None else f"{arm.holm_p:.4f}",
        arm.verdict,
    ]


def _interval(interval: "Interval | None") -> str:
    return ABSENT if interval is None else f"{interval.low:+.2f} to {interval.high:+.2f}"


def _arm_text(arm: object) -> str:
    if not isinstance(arm, dict):
        return str(arm)
    levels = cast("dict[str, str]", arm)
    return ", ".join(f"{factor}={level}" for factor, level in levels.items())
