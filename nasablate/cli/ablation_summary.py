"""What an ablation ends with: arms, differences, intervals, verdicts, effects, other's numbers."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from nasablate.cli.ablation_plan_text import fraction_lines, remarks, wrapped
from nasablate.cli.options import DEFAULT_STORAGE
from nasablate.cli.output import ABSENT, format_table, plural
from nasablate.cli.sequential_text import look_lines, sequential_table
from nasablate.report.sequential_words import sequential_rule
from nasablate.store.failures import shown

if TYPE_CHECKING:
    from nasablate.analysis.paired import Comparison, Interval
    from nasablate.search.ablation_images import ArmImages
    from nasablate.search.ablation_result import AblationResult, ArmResult
    from nasablate.search.ablation_tables import EffectTable
    from nasablate.search.beside import Beside

_ARMS = [
    "arm", "params", "n", "error %", "difference", "paired 95 %", "unpaired 95 %",
    "bootstrap 95 %", "r", "p", "Holm p", "verdict",
]  # fmt: skip
_EFFECTS = ["effect", "on error", "95 %", "p", "Holm p", "finding", "mixed with"]
_IMAGES = ["arm", "seeds and images", "pairs", "cross-entropy", "P(true class)"]
_STEPS = ["factor", "added to", "difference", "paired 95 %", "p", "Holm p", "verdict"]


_WIDE = 120


def ablation_summary(result: "AblationResult") -> str:
    """Return the result of an ablation as text."""
    return "\n".join(_lines(result))


def _lines(result: "AblationResult") -> Iterator[str]:
    yield f"{result.name}: {result.question}".rstrip(": ")
    seeds = plural(result.seeds, "seed") if result.looks is None else "sequential"
    yield (
        f"{result.part} error in percent, {seeds}; differences from "
        f"{result.arms[0].name!r} in percentage points, negative is better"
    )
    yield ""
    if result.looks is None:
        yield from _arm_tables(result)
    else:
        yield sequential_table(result, result.looks)
        yield from look_lines(result, result.looks)
    yield from _remarks(result)
    for table in result.effects:
        yield from _effect_lines(table)
    if result.fraction is not None:
        yield from fraction_lines(result.fraction)
    yield from _step_lines(result)
    yield from _image_lines(result.images)
    if result.images and result.looks is not None:
        yield "arms stop when they are settled, for which these numbers are not corrected"
    yield ""
    yield from _rules(result)
    for failure in result.failures:
        yield f"missing: {failure}"
    yield from _reported_lines(result.reported)
    yield f"database  {shown(result.url)}"
    option = "" if result.url == DEFAULT_STORAGE else f" --storage {shown(result.url)}"
    yield f"look at it  nasablate dashboard{option}"


def _rules(result: "AblationResult") -> Iterator[str]:
    from nasablate.analysis.paired import smallest_p

    if result.looks is not None:
        yield from wrapped(sequential_rule(result.looks))
        return
    yield from wrapped(
        "better and worse need a paired t interval without zero and an exact sign-flip p of at "
        f"most 0.05 after Holm; {plural(result.seeds, 'pair')} can reach "
        f"{smallest_p(result.seeds):.4g}"
    )
    for arm in result.arms[1:]:
        yield from (line for text in _lacking(arm, result.seeds) for line in wrapped(text))
    if result.seeds < result.seeds_needed:
        yield (
            f"undecided by design: {plural(result.seeds, 'seed')} cannot reach it with "
            f"{plural(len(result.arms) - 1, 'arm')}, {result.seeds_needed} can; raise seeds and "
            "run again"
        )


def _lacking(arm: "ArmResult", seeds: int) -> Iterator[str]:
    """Yield what an arm lacks for a verdict, and what its pairs can reach."""
    found, judged = arm.comparison, arm.judgement
    if judged is None or judged.n == seeds:
        return
    text = f"{arm.name}: no verdict, {judged.reason}"
    if found is not None:
        text += f"; {plural(found.n, 'pair')} can reach {found.smallest_p:.4g}"
    yield text


def _arm_tables(result: "AblationResult") -> Iterator[str]:
    """Yield one table of the arms, or two where it would be too wide."""
    rows = [_row(arm, result.seeds) for arm in result.arms]
    whole = format_table(_ARMS, rows)
    if len(whole.partition("\n")[0]) <= _WIDE:
        yield whole
        return
    apart = [_ARMS.index(name) for name in ("unpaired 95 %", "bootstrap 95 %", "r")]
    kept = [place for place in range(len(_ARMS)) if place not in apart]
    yield format_table([_ARMS[p] for p in kept], [[row[p] for p in kept] for row in rows])
    yield ""
    yield "beside the verdict: as if the seeds were not shared, by bootstrap of the differences,"
    yield "and the correlation that sharing seeds brought:"
    places = [0, *apart]
    yield format_table([_ARMS[p] for p in places], [[row[p] for p in places] for row in rows[1:]])


def _row(arm: "ArmResult", seeds: int) -> list[object]:
    mean = ABSENT if arm.mean is None else f"{arm.mean:.2f}"
    head: list[object] = [arm.name, arm.params, f"{len(arm.errors)}/{seeds}", mean]
    found = arm.comparison
    if found is None:
        return [*head, *[ABSENT] * 7, arm.verdict or "reference"]
    return [
        *head,
        f"{found.difference:+.2f}",
        _interval(found.paired),
        _interval(found.unpaired),
        _interval(arm.bootstrap),
        ABSENT if found.correlation is None else f"{found.correlation:+.2f}",
        _p(found.p),
        _p(None if arm.judgement is None else arm.judgement.holm_p),
        arm.verdict,
    ]


def _remarks(result: "AblationResult") -> Iterator[str]:
    """Yield how costs were matched, and what arms differ in besides their edits."""
    matched = {
        arm.name: str(arm.matching["text"])
        for arm in result.arms
        if arm.matching is not None and arm.matching["tried"]
    }
    differs = {arm.name: str(arm.differs["text"]) for arm in result.arms if arm.differs}
    if result.levels:
        differs = {name: str(found["text"]) for name, found in result.levels.items()}
    found = [*remarks(matched), *remarks(differs, "also differs in: ")]
    if found:
        yield ""
        yield from found


def _effect_lines(table: "EffectTable") -> Iterator[str]:
    rows = [
        [
            effect.name,
            ABSENT if effect.estimate is None else f"{effect.estimate:+.2f}",
            _interval(effect.interval),
            _p(effect.p),
            _p(effect.holm_p),
            effect.finding,
            ", ".join(effect.aliases),
        ]
        for effect in table.effects
    ]
    yield ""
    yield f"effects in percentage points, blocked by seed, of {table.of}:"
    mixed = any(effect.aliases for effect in table.effects)
    yield format_table(
        _EFFECTS if mixed else _EFFECTS[:-1], [row if mixed else row[:-1] for row in rows]
    )
    reasons = [effect.reason for effect in table.effects if effect.finding == "missing"]
    yield from (f"  {reason}" for reason in dict.fromkeys(reasons))


def _step_lines(result: "AblationResult") -> Iterator[str]:
    if not result.steps:
        return
    rows = [
        [
            step.factor,
            step.before,
            ABSENT if step.judgement.difference is None else f"{step.judgement.difference:+.2f}",
            _interval(step.judgement.interval),
            _p(step.judgement.p),
            _p(step.judgement.holm_p),
            step.judgement.verdict,
        ]
        for step in result.steps
    ]
    yield ""
    yield "what each factor brought when it was added, judged among these steps:"
    yield format_table(_STEPS, rows)


def _image_lines(images: "Sequence[ArmImages]") -> Iterator[str]:
    if not images:
        return
    rows = [
        [
            found.arm,
            _interval(found.crossed),
            f"{found.num_different}/{len(found.pairs)}",
            _measure(found.measure("cross_entropy")),
            _measure(found.measure("true_class_probability")),
        ]
        for found in images
    ]
    yield ""
    yield "beside the verdict, which they do not touch, with the same networks:"
    yield format_table(_IMAGES, rows)
    yield (
        "seeds and images: 95 % interval of the error with both drawn again; pairs: networks that "
        "differ by McNemar's test at 5 %"
    )


def _measure(found: "Comparison | None") -> str:
    if found is None:
        return ABSENT
    if found.paired is None:
        return f"{found.difference:+.3f}"
    return f"{found.difference:+.3f} ({found.paired.low:+.3f} to {found.paired.high:+.3f})"


def _reported_lines(rows: "Sequence[Beside]") -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield "reported by others, not measured here; the gap is ours minus theirs:"
    for found in rows:
        yield from wrapped(f"  {_arm_text(found.row.arm)}: {_value(found)}, {_source(found)}")
        if found.mean is not None:
            yield f"    ours {_ours(found)}"
        if found.differences:
            text = "; ".join(str(difference) for difference in found.differences)
            yield from wrapped(f"    protocol differs: {text}")
        elif found.row.value is not None and not found.has_protocol:
            yield "    its protocol is not given, so what differs is not known"
        elif found.row.value is not None and found.arm is not None:
            yield "    no difference in the protocol as far as it is given"
        if found.arm is None:
            yield "    this design has no such arm"


def _value(found: "Beside") -> str:
    row = found.row
    if row.value is None:
        return "not available"
    spread = "" if row.std is None else f" +- {row.std:g}"
    count = "" if row.n is None else f" (n {row.n})"
    return f"{row.value:g} %{spread}{count}"


def _source(found: "Beside") -> str:
    note = f" ({found.row.note})" if found.row.note else ""
    return f"{found.row.source}{note}"


def _ours(found: "Beside") -> str:
    text = f"{found.mean:.2f} % (n {found.n})"
    if found.gap is not None:
        text += f", gap {found.gap:+.2f}"
    if found.gap_interval is not None:
        text += f", 95 % {_interval(found.gap_interval)}"
    return text


def _p(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.4f}"


def _interval(interval: "Interval | None") -> str:
    return ABSENT if interval is None else f"{interval.low:+.2f} to {interval.high:+.2f}"


def _arm_text(arm: object) -> str:
    if not isinstance(arm, dict):
        return str(arm)
    levels = cast("dict[str, str]", arm)
    return ", ".join(f"{factor}={level}" for factor, level in levels.items())
