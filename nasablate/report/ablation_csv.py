"""The table of an ablation as CSV: one row per arm, numbers in full."""

import csv
import io
from collections.abc import Iterator

from nasablate.analysis.paired import Interval
from nasablate.report.ablation import AblationReport
from nasablate.search.ablation_result import ArmResult

_COLUMNS = (
    "params", "macs", "n", "seeds", "error", "error_low", "error_high", "difference",
    "difference_low", "difference_high", "unpaired_low", "unpaired_high", "bootstrap_low",
    "bootstrap_high", "correlation", "p", "holm_p", "smallest_p", "seeds_needed", "verdict",
    "reason", "rule", "look",
)  # fmt: skip


def ablation_csv(report: AblationReport) -> str:
    """Return one row per arm, the reference first; errors in percent, empty cells where nothing is.

    A column per factor follows the arm's name, its title ``factor:`` and the factor's name.
    """
    factors = list(report.result.arms[0].levels)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["arm", *(f"factor:{name}" for name in factors), *_COLUMNS])
    for arm in report.result.arms:
        levels = [arm.levels.get(name, "") for name in factors]
        row = [arm.name, *levels, *_numbers(arm, report.result.wanted(arm))]
        writer.writerow(["" if value is None else value for value in row])
    return buffer.getvalue()


def _numbers(arm: ArmResult, seeds: int) -> Iterator[object]:
    found, judged = arm.comparison, arm.judgement
    yield from (arm.params, arm.macs, len(arm.errors), seeds, arm.mean)
    yield from _ends(arm.mean_interval)
    if arm.look is not None and judged is not None:
        yield from (judged.difference, *_ends(judged.interval), *[None] * 9)
    elif found is None:
        yield from (*[None] * 11, None if judged is None else judged.seeds_needed)
    else:
        yield found.difference
        yield from (*_ends(found.paired), *_ends(found.unpaired), *_ends(arm.bootstrap))
        yield from (found.correlation, found.p, None if judged is None else judged.holm_p)
        yield from (found.smallest_p, None if judged is None else judged.seeds_needed)
    yield arm.verdict or "reference"
    yield None if judged is None else judged.reason
    yield from (arm.rule, arm.look)


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
