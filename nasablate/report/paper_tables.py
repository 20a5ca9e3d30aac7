"""The tables of an ablation for a paper: few columns, a footnote with rule and protocol."""

from collections.abc import Iterator
from dataclasses import dataclass

from nasablate import __version__
from nasablate.analysis.paired import Interval
from nasablate.figures.numerals import DASH, Mark, number, probability, signed
from nasablate.report.ablation import AblationReport
from nasablate.report.ablation_words import rule, state_sentence
from nasablate.report.sequential_words import bounds_sentence
from nasablate.report.tables import Column, Marked, numbers, plain, words
from nasablate.search.ablation_result import ArmResult
from nasablate.search.ablation_tables import EffectTable, Step

PaperCell = str | Marked
_RECIPE = ("epochs", "batch_size", "optimizer", "schedule")


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table before it has a form; its cells are plain words."""

    key: str
    """Names it within the report."""
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[PaperCell, ...], ...]
    note: str = ""


def paper_tables(report: AblationReport) -> list[PaperTable]:
    """Return the arms, then effects and steps where the design has them; one note for all."""
    found = [_arms(report)]
    found += [_effects(report, table, place) for place, table in enumerate(report.result.effects)]
    if report.result.steps:
        found.append(_steps(report))
    return found


def _arms(report: AblationReport) -> PaperTable:
    result = report.result
    judged = "Holm p" if result.looks is None else "look"
    return PaperTable(
        key="arms",
        caption=f"{result.question or result.name} {result.part.capitalize()} error of every arm.",
        columns=(
            Column("arm"),
            *numbers("n", "error, %", "difference, 95 % interval", judged, "params"),
            Column("verdict"),
        ),
        rows=tuple(_arm(arm, report) for arm in result.arms),
        note=" ".join(_note(report)),
    )


def _arm(arm: ArmResult, report: AblationReport) -> tuple[PaperCell, ...]:
    wanted, judged = report.result.wanted(arm), arm.judgement
    n = f"{len(arm.errors)}" if len(arm.errors) == wanted else f"{len(arm.errors)} of {wanted}"
    head = (arm.name, n, _mean(arm))
    params = f"{arm.params:,}"
    if judged is None:
        return (*head, DASH, DASH, params, "reference")
    p = probability(judged.holm_p)
    if report.result.looks is not None:
        p = f"{arm.look} of {len(report.result.looks.plan.looks)}" if arm.look else DASH
    change = _change(judged.difference, judged.interval)
    return (*head, change, p, params, Marked(judged.verdict))


def _mean(arm: ArmResult) -> str:
    ends = arm.mean_interval
    if arm.mean is None or ends is None:
        return number(arm.mean)
    return f"{number(arm.mean)} \N{PLUS-MINUS SIGN} {number((ends.high - ends.low) / 2)}"


def _change(difference: float | None, interval: Interval | None) -> str:
    if interval is None:
        return signed(difference)
    return f"{signed(difference)} [{signed(interval.low)}, {signed(interval.high)}]"


def _effects(report: AblationReport, table: EffectTable, place: int) -> PaperTable:
    of = "" if table.of == "arms" else f" of {table.of}"
    rows: list[tuple[PaperCell, ...]] = [
        (
            " = ".join([effect.name, *effect.aliases]),
            f"{effect.n}",
            _change(effect.estimate, effect.interval),
            probability(effect.holm_p),
            Marked(effect.finding),
        )
        for effect in table.effects
    ]
    return PaperTable(
        key=f"effects-{place}" if place else "effects",
        caption=f"Effects{of} on the {report.result.part} error in percentage points, within seeds."
        " A colon joins the factors of an interaction.",
        columns=(*words("effect"), *_JUDGED, Column("finding")),
        rows=tuple(rows),
    )


_JUDGED = numbers("n", "effect, 95 % interval", "Holm p")


def _steps(report: AblationReport) -> PaperTable:
    def row(step: Step) -> tuple[PaperCell, ...]:
        judged = step.judgement
        change = _change(judged.difference, judged.interval)
        mark: Mark = judged.verdict
        name = f"{step.factor}, after {step.before}"
        return name, f"{judged.n}", change, probability(judged.holm_p), Marked(mark)

    return PaperTable(
        key="steps",
        caption="What each factor brought when it was added, judged among these steps.",
        columns=(*words("step"), *_JUDGED, Column("verdict")),
        rows=tuple(map(row, report.result.steps)),
    )


def _note(report: AblationReport) -> Iterator[str]:
    """Yield what the numbers are, the rule of the verdicts, and how was trained."""
    result = report.result
    images = "" if report.num_images is None else f" of {report.num_images:,} images"
    yield (
        f"Errors in percent on the {result.part} part{images} at the last epoch: mean over n seeds"
        " with the half width of its 95 % t interval."
    )
    kind = "paired by seed" if result.looks is None else "sequential"
    yield (f"Differences from {report.reference} in percentage points, negative is better, {kind}.")
    yield rule(report)
    if result.looks is not None:
        yield bounds_sentence(result.looks)
    if text := state_sentence(report):
        yield text
    yield from _protocol(report)


def _protocol(report: AblationReport) -> Iterator[str]:
    data = report.spec.data
    train = report.image_counts.get("num_train")
    count = "" if train is None else f", {train:,} training images"
    yield f"Data: {data.name}{count}, fingerprint {report.attributes.get('data_fingerprint')}."
    shown = [f"{key.replace('_', ' ')} {plain(report.recipe[key])}" for key in _RECIPE
             if key in report.recipe]  # fmt: skip
    if shown:
        yield f"Training: {'; '.join(shown)}; first seed {report.spec.seed}."
    for metric, tolerance in report.spec.match.items():
        yield f"Arms matched in {metric} within {tolerance:.2%}."
    yield f"Study {report.result.name}, nasablate {__version__}."
