"""The tables of an ablation's report."""

from collections.abc import Iterator

from nasablate.analysis.paired import Comparison, Interval
from nasablate.figures.numerals import DASH, number, probability, signed, signed_interval
from nasablate.report.ablation import AblationReport, ArmEdits
from nasablate.report.sequential_words import (
    bounds_sentence,
    spread_sentence,
    trainings_sentence,
)
from nasablate.report.tables import (
    CellValue,
    Column,
    Gap,
    Marked,
    Table,
    numbers,
    plain,
    points,
    words,
)
from nasablate.search.ablation_result import AblationResult, ArmResult
from nasablate.search.ablation_tables import EffectTable
from nasablate.search.looks import Looks

_MOST_COLUMNS = 12
"""With more replicates, each of them is a row instead of a column."""


def results_table(report: AblationReport) -> Table:
    """Return every arm with its difference from the reference and its verdict."""
    part, looks = report.result.part, report.result.looks
    kinds = ("paired 95 % interval", "Holm p")
    if looks is not None:
        kinds = ("sequential 95 % interval", "sequential: at look")
    return Table(
        f"{part.capitalize()} error of every arm; differences from {report.reference} in"
        " percentage points, negative is better",
        (
            *words("arm", "verdict"),
            *numbers("n", "error, %", "difference", *kinds, "params"),
        ),
        tuple(_result_row(arm, report.result) for arm in report.result.arms),
    )


def _result_row(arm: ArmResult, result: AblationResult) -> tuple[CellValue, ...]:
    judged = arm.judgement
    n = f"{len(arm.errors)}/{result.wanted(arm)}"
    mean: CellValue = Gap("missing") if arm.mean is None else number(arm.mean)
    if judged is None:
        return (arm.name, "reference", n, mean, DASH, DASH, DASH, f"{arm.params:,}")
    return (
        arm.name,
        Marked(judged.verdict),
        n,
        mean,
        signed(judged.difference),
        signed_interval(judged.interval),
        probability(judged.holm_p) if result.looks is None else _look(arm, result.looks),
        f"{arm.params:,}",
    )


def _look(arm: ArmResult, looks: Looks) -> str:
    return f"{arm.look} of {len(looks.plan.looks)}" if arm.look else DASH


def statistics_table(report: AblationReport) -> Table:
    """Return what is behind the verdicts."""
    return Table(
        "What is behind the verdicts: r is the correlation of an arm and the reference over seeds,"
        " which pairing uses; Welch's interval is what unshared seeds would give, the bootstrap's"
        " (expanded percentile) resamples the paired differences. Neither decides",
        (
            Column("arm"),
            *numbers(
                "95 % of the mean", "Welch's 95 %", "bootstrap 95 %", "r", "sign-flip p",
                "least p of so many pairs", "multiply-adds",
            ),
            Column("why this verdict"),
        ),
        tuple(_statistics_row(arm) for arm in report.result.arms),
    )  # fmt: skip


def _statistics_row(arm: ArmResult) -> tuple[CellValue, ...]:
    found, judged = arm.comparison, arm.judgement
    return (
        arm.name,
        _interval(arm.mean_interval),
        signed_interval(None if found is None else found.unpaired),
        signed_interval(arm.bootstrap),
        signed(None if found is None else found.correlation),
        probability(None if found is None else found.p),
        probability(None if found is None else found.smallest_p),
        f"{arm.macs:,}",
        "reference" if judged is None else judged.reason,
    )


def _interval(interval: Interval | None) -> str:
    return DASH if interval is None else f"{number(interval.low)} to {number(interval.high)}"


def effects_table(table: EffectTable) -> Table:
    """Return the effects of a factorial or fractional design."""
    mixed = any(effect.aliases for effect in table.effects)
    of = "" if table.of == "arms" else f", of {table.of}"
    rows: list[tuple[CellValue, ...]] = []
    for effect in table.effects:
        row: tuple[CellValue, ...] = (
            effect.name,
            Marked(effect.finding),
            f"{effect.n}",
            signed(effect.estimate),
            signed_interval(effect.interval),
            probability(effect.p),
            probability(effect.holm_p),
            effect.reason,
        )
        rows.append((*row, ", ".join(effect.aliases)) if mixed else row)
    return Table(
        f"Effects on the error in percentage points, blocked by seed{of}; a colon joins the factors"
        " of an interaction",
        (
            *words("effect", "finding"),
            *numbers("n", "effect, points", "95 % interval", "p", "Holm p"),
            Column("why"),
            *(words("mixed with") if mixed else ()),
        ),
        tuple(rows),
    )


def images_table(report: AblationReport) -> Table:
    """Return what the same networks say image by image, and in measures that do not decide."""
    rows = [
        (
            found.arm,
            f"{found.images:,}",
            signed_interval(found.crossed),
            f"{found.num_different}/{len(found.pairs)}",
            _measure(found.measure("cross_entropy")),
            _measure(found.measure("true_class_probability")),
        )
        for found in report.result.images
    ]
    return Table(
        "Beside the verdict, which they do not touch: the 95 % interval of the difference with"
        " seeds and images both drawn again, how many pairs of networks differ by McNemar's test at"
        " 5 % each, and differences in two other measures",
        (
            Column("arm"),
            *numbers(
                "images", "seeds and images", "pairs that differ", "cross-entropy",
                "probability of the true class",
            ),
        ),
        tuple(rows),
    )  # fmt: skip


def _measure(found: Comparison | None) -> str:
    if found is None:
        return DASH
    ends = f" ({signed_interval(found.paired, 3)})" if found.paired else ""
    return f"{signed(found.difference, 3)}{ends}"


def levels_table(report: AblationReport) -> Table:
    """Return in what each level alone differs from the baseline besides its edits."""
    found = {name: str(item.get("text", "")) for name, item in report.result.levels.items()}
    rows = tuple((name, text) for name, text in found.items() if text)
    return Table("Levels that bring along more than their edits", words("level", "also"), rows)


def steps_table(report: AblationReport) -> Table:
    """Return what each factor of a path brought when it was added."""
    return Table(
        "What each factor brought when it was added, judged among these steps",
        (
            *words("factor", "added to", "verdict"),
            *numbers("n", "difference", "paired 95 % interval", "p", "Holm p"),
        ),
        tuple(
            (
                step.factor,
                step.before,
                Marked(step.judgement.verdict),
                f"{step.judgement.n}/{report.result.seeds}",
                signed(step.judgement.difference),
                signed_interval(step.judgement.interval),
                probability(step.judgement.p),
                probability(step.judgement.holm_p),
            )
            for step in report.result.steps
        ),
    )


def replicates_table(report: AblationReport) -> Table:
    """Return the error of every replicate; what is missing says so."""
    result, first = report.result, report.spec.seed
    why = {(item.arm, item.replicate): item.short for item in report.missing}

    def cell(arm: ArmResult, replicate: int) -> CellValue:
        if replicate in arm.errors:
            return number(arm.errors[replicate])
        if replicate >= result.wanted(arm):
            return DASH  # the arm stopped before, or waits for an earlier look
        return Gap(why[arm.name, replicate])

    caption = f"{result.part.capitalize()} error in percent of every replicate"
    seeds = [f"seed {first + replicate}" for replicate in range(result.seeds)]
    if result.seeds <= _MOST_COLUMNS:
        rows = [(arm.name, *(cell(arm, r) for r in range(result.seeds))) for arm in result.arms]
        return Table(caption, (Column("arm"), *numbers(*seeds)), tuple(rows))
    columns = (Column("seed"), *numbers(*(arm.name for arm in result.arms)))
    rows = [
        (f"{first + replicate}", *(cell(arm, replicate) for arm in result.arms))
        for replicate in range(result.seeds)
    ]
    return Table(caption, columns, tuple(rows))


def missing_table(report: AblationReport) -> Table:
    """Return every replicate without a result."""
    return Table(
        "Replicates without a result",
        words("arm", "seed", "state", "what is known"),
        tuple((item.arm, f"{item.seed}", Gap(item.short), item.reason) for item in report.missing),
    )


def reported_table(report: AblationReport) -> Table:
    """Return numbers of others beside ours; what could not be read is not available."""
    rows = [
        (
            row.arm,
            row.reported_text if row.value is not None else Gap(row.reported_text),
            row.measured_text if row.mean is not None else Gap(row.measured_text),
            row.gap_text,
            row.source + (f" ({row.note})" if row.note else ""),
            row.protocol_text,
        )
        for row in report.reported.rows
    ]
    return Table(
        "Reported by others, beside what was measured here; the gap is measured minus reported",
        words(
            "arm", "reported", f"measured ({report.result.part})", "gap, 95 %", "source",
            "protocol, and here",
        ),
        tuple(rows),
    )  # fmt: skip


def edits_table(report: AblationReport) -> Table:
    """Return what makes each arm, and what else differs because of it."""
    has_matching = any(item.matching for item in report.edits)
    rows: list[tuple[CellValue, ...]] = []
    for item in report.edits:
        row = item.name, edit_text(item), change_text(item), item.also or "nothing"
        rows.append((*row, item.matching) if has_matching else row)
    return Table(
        f"What makes each arm, and in what else it differs from {report.reference}",
        words(
            "arm", "edits", f"fields that differ: {report.reference} \N{RIGHTWARDS ARROW} arm",
            "differs besides", *(["matching of cost"] if has_matching else []),
        ),
        tuple(rows),
    )  # fmt: skip


def edit_text(item: ArmEdits) -> str:
    """Return the edits of an arm as text."""
    if item.edits is None:
        return "not recorded"
    return "; ".join(f"{path}: {plain(value)}" for path, value in item.edits.items()) or "none"


def change_text(item: ArmEdits) -> str:
    """Return the fields that an arm changes as text."""
    return "; ".join(
        f"{path}: {plain(before)} \N{RIGHTWARDS ARROW} {plain(after)}"
        for path, before, after in item.changes
    )


def protocol_table(report: AblationReport) -> Table:
    """Return on what, how, how often and on which part was trained and judged."""
    rows = tuple(_protocol(report))
    return Table("How arms are trained and judged", words("what", "value"), rows)


def _protocol(report: AblationReport) -> Iterator[tuple[str, str]]:
    spec = report.spec
    data = {key: value for key, value in spec.data.document().items() if value is not None}
    yield "data", plain(data)
    yield "fingerprint of the data", str(report.attributes.get("data_fingerprint", DASH))
    if counts := report.image_counts:
        shown = [f"{counts[key]:,} {key.removeprefix('num_')}" for key in counts]
        yield "images of each part", ", ".join(shown).replace("val", "validation")
    images = "" if report.num_images is None else f", {report.num_images:,} images"
    yield "judged on", f"the {spec.evaluate} part{images}, at the last epoch"
    yield from _replicates(report)
    yield "design", spec.design
    if spec.margin is not None:
        yield "margin of equivalence", points(spec.margin)
    for metric, tolerance in spec.match.items():
        yield f"arms matched in {metric}", f"within {tolerance:.2%}"
    yield "threads per trial", f"{spec.resources.threads_per_trial}"
    for key, value in report.recipe.items():
        if key not in {"kind", "schema_version", "name", "source"}:
            yield f"recipe: {key}", plain(value)


def _replicates(report: AblationReport) -> Iterator[tuple[str, str]]:
    spec, looks = report.spec, report.result.looks
    last = spec.seed + spec.seeds - 1
    of = "every arm" if looks is None else f"{report.reference}"
    yield "replicates", f"{spec.seeds} of {of}, seeds {spec.seed} to {last}, shared by arms"
    if looks is not None:
        yield "looks", bounds_sentence(looks)
        yield "trainings", trainings_sentence(looks, len(report.trials))
        if spread := spread_sentence(looks):
            yield "spread", spread


def digests_table(report: AblationReport) -> Table:
    """Return the digests that tell whether a network is the same again."""
    found: dict[str, tuple[str, str]] = {}
    for trial in report.trials:
        known = trial.attributes
        network, recipe = known.get("network_digest", DASH), known.get("recipe_digest", DASH)
        found.setdefault(str(known["arm"]), (str(network), str(recipe)))
    rows = tuple((arm.name, *found.get(arm.name, (DASH, DASH))) for arm in report.result.arms)
    return Table("Digests", words("arm", "network", "recipe"), rows)
