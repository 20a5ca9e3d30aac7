"""The tables of a deletion study, for every form of its report."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from nasablate.analysis.deletion import NetworkContrast, Summary
from nasablate.analysis.paired import Interval
from nasablate.figures.numerals import DASH, number, probability, signed, signed_interval
from nasablate.genome import DeletionSpec
from nasablate.report.ensemble_tables import ensemble_tables
from nasablate.report.tables import (
    CellValue,
    Gap,
    Marked,
    Table,
    numbers,
    plain,
    points,
    words,
)
from nasablate.search.deletion_estimates import ERROR
from nasablate.search.deletion_result import DeletionResult, GroupResult, NetworkResult, UnitResult


def networks_table(result: DeletionResult) -> Table:
    """Return every network with its error and what deleting a unit costs it on average."""
    columns = (
        *words("network"),
        *numbers(
            "params",
            "trained",
            "error %",
            "mean rise",
            "95 %",
            "downsampling units",
            "other units",
            "their difference",
            "95 %",
        ),
    )
    rows = tuple(
        (
            network.name,
            f"{network.params:,}",
            f"{len(network.intact.values)}/{len(network.members)}",
            number(network.intact.mean),
            signed(network.mean_rise.mean),
            signed_interval(network.mean_rise.interval),
            signed(network.downsampling_rise.mean),
            signed(network.other_rise.mean),
            signed(network.gap.mean),
            signed_interval(network.gap.interval),
        )
        for network in result.networks
    )
    caption = "Rise of the error when one unit is deleted, mean over units, in percentage points"
    return Table(caption, columns, rows)


def contrasts_table(result: DeletionResult) -> Table:
    """Return the networks against the first one."""
    columns = (
        *words("network", "quantity"),
        *numbers("pairs", "difference", "95 % over seeds", "over seeds and images", "p", "Holm p"),
        *words("verdict", "why"),
    )
    rows = [_contrast(found, "mean rise") for found in result.rise_contrasts]
    rows += [_contrast(found, "downsampling minus others") for found in result.gap_contrasts]
    reference = result.networks[0].name
    caption = f"Against {reference}, paired by seed: less rise is better"
    return Table(caption, columns, tuple(rows))


def _contrast(found: NetworkContrast, quantity: str) -> tuple[CellValue, ...]:
    judged = found.judgement
    return (
        found.network,
        quantity,
        str(judged.n),
        signed(judged.difference),
        signed_interval(judged.interval),
        signed_interval(found.crossed),
        probability(judged.p),
        probability(judged.holm_p),
        Marked(judged.verdict),
        judged.reason,
    )


def units_table(network: NetworkResult) -> Table:
    """Return every unit of a network, those that cannot be deleted with the reason."""
    columns = (
        *words("unit"),
        *numbers("stage"),
        *words("downsampling"),
        *numbers("error %", "rise", "95 %"),
        *words("note"),
    )
    caption = f"{network.name}: each unit deleted by itself"
    return Table(caption, columns, tuple(_unit(unit) for unit in network.units))


def _unit(unit: UnitResult) -> tuple[CellValue, ...]:
    head: tuple[CellValue, ...] = (
        unit.name,
        str(unit.stage + 1),
        "yes" if unit.downsampling else "",
    )
    if not unit.possible:
        return (*head, DASH, DASH, DASH, Gap(f"cannot be deleted: {unit.reason}"))
    return (*head, *_values(unit.error, unit.rise), unit.reason)


def _values(error: Summary, rise: Summary) -> tuple[str, str, str]:
    return number(error.mean), signed(rise.mean), signed_interval(rise.interval)


def groups_table(result: DeletionResult) -> Table:
    """Return units deleted together: stages, and downsampling units."""
    columns = (
        *words("network", "deleted"),
        *numbers("units", "error %", "rise", "95 %"),
    )
    rows: list[tuple[CellValue, ...]] = []
    for network in result.networks:
        down = () if network.downsampling is None else (network.downsampling,)
        rows += [_group(network, group) for group in (*network.stages, *down)]
    return Table("Units deleted together", columns, tuple(rows))


def pairs_table(result: DeletionResult) -> Table:
    """Return pairs of units deleted together."""
    columns = (*words("network", "deleted"), *numbers("units", "error %", "rise", "95 %"))
    rows = tuple(_group(network, pair) for network in result.networks for pair in network.pairs)
    return Table("Pairs of units deleted", columns, rows)


def _group(network: NetworkResult, group: GroupResult) -> tuple[CellValue, ...]:
    units = str(len(group.units))
    return (network.name, group.name, units, *_values(group.error, group.rise))


def random_table(result: DeletionResult) -> Table:
    """Return random units deleted together."""
    columns = (
        *words("network"),
        *numbers("units deleted", "draws", "error %", "rise", "95 %", "SD over draws"),
    )
    rows = tuple(
        (
            network.name,
            str(found.count),
            str(found.draws),
            *_values(found.error, found.rise),
            number(found.draws_sd),
        )
        for network in result.networks
        for found in network.random
    )
    return Table("Random units deleted together; means over draws", columns, rows)


def scale_table(result: DeletionResult) -> Table:
    """Return branches made weaker or stronger."""
    columns = (*words("network"), *numbers("factor", "mean rise", "95 %"))
    rows = tuple(
        (
            network.name,
            f"{found.factor:g}",
            signed(found.rise.mean),
            signed_interval(found.rise.interval),
        )
        for network in result.networks
        for found in network.scale
    )
    return Table("One branch at a time multiplied by a factor, mean over units", columns, rows)


def reorder_table(result: DeletionResult) -> Table:
    """Return units exchanged."""
    columns = (
        *words("network"),
        *numbers("exchanges", "draws", "mean Kendall tau", "error %", "rise", "95 %"),
    )
    rows = tuple(
        (
            network.name,
            str(found.count),
            str(found.draws),
            number(found.kendall_tau, 3),
            *_values(found.error, found.rise),
        )
        for network in result.networks
        for found in network.reorder
    )
    return Table("Units of equal shape exchanged; means over draws", columns, rows)


def paths_table(result: DeletionResult) -> Table:
    """Return the gradient along paths of each length."""
    columns = (
        *words("network"),
        *numbers("branches on the path", "share of paths", "gradient norm", "share of gradient"),
    )
    rows = tuple(
        (
            network.name,
            str(found.length),
            f"{100 * found.share_of_paths:.3g} %",
            DASH if found.norm.mean is None else f"{found.norm.mean:.3g}",
            DASH
            if found.share_of_gradient.mean is None
            else f"{100 * found.share_of_gradient.mean:.3g} %",
        )
        for network in result.networks
        for found in network.paths
        if found.measured
    )
    return Table("Gradient along paths by their length", columns, rows)


def effective_table(result: DeletionResult) -> Table:
    """Return how few paths carry nearly all of the gradient."""
    columns = (
        *words("network"),
        *numbers("units", "paths", "without one unit"),
        *words("effective lengths"),
        *numbers("of all paths", "by each training, 95 %"),
    )
    rows = tuple(
        (
            network.name,
            str(found.units),
            _count(found.paths),
            _count(found.paths_without_one),
            length_ranges(found.lengths),
            f"{100 * found.share_of_paths:.3g} %",
            _percent_interval(found.each),
        )
        for network in result.networks
        if (found := network.effective_paths) is not None
    )
    caption = "Effective paths: the fewest lengths that together carry 95 % of the gradient"
    return Table(caption, columns, rows)


def length_ranges(lengths: Sequence[int]) -> str:
    """Return ascending numbers in words.

    >>> length_ranges([1, 3, 4, 5])
    '1, 3 to 5'
    """
    runs: list[list[int]] = []
    for length in lengths:
        if runs and runs[-1][-1] == length - 1:
            runs[-1].append(length)
        else:
            runs.append([length])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _span(interval: Interval) -> str:
    return f"{number(interval.low)} to {number(interval.high)}"


def _count(paths: int) -> str:
    return f"{paths:,}" if paths < 10**9 else f"{Decimal(paths):.3g}"


def _percent_interval(found: Summary) -> str:
    if found.mean is None:
        return DASH
    text = f"{100 * found.mean:.3g} %"
    ends = found.interval
    if ends is None:
        return text
    return f"{text} ({100 * max(0.0, ends.low):.3g} to {100 * min(1.0, ends.high):.3g})"


def estimates_table(result: DeletionResult) -> Table:
    """Return what a random part of the images says of all of them."""
    total = 0 if result.images is None else result.images.total
    columns = (
        *words("network", "what"),
        *numbers("trained", "estimate", f"95 % for all {total:,}"),
    )
    rows = tuple(
        (
            found.network,
            found.what,
            str(found.trained),
            number(found.value) if found.what == ERROR else signed(found.value),
            _span(found.interval) if found.what == ERROR else signed_interval(found.interval),
        )
        for found in result.estimates
    )
    caption = f"Estimates for all {total:,} images, of these trained networks; error %, and rises"
    return Table(caption, columns, rows)


def notes_table(result: DeletionResult) -> Table:
    """Return what cannot be asked of a network, and why."""
    rows = tuple((network.name, note) for network in result.networks for note in network.notes)
    return Table("What could not be asked, and why", words("network", "reason"), rows)


def missing_table(result: DeletionResult) -> Table:
    """Return the trained networks that have not answered everything."""
    rows = tuple((line,) for line in result.missing)
    return Table("Missing", words("network, replicate: evaluations"), rows)


def protocol_table(spec: DeletionSpec, result: DeletionResult) -> Table:
    """Return how networks were trained and judged."""
    data = ", ".join(f"{key}: {plain(value)}" for key, value in spec.data.document().items())
    images = result.images
    part = spec.evaluate if images is None else f"{images.chosen:,} {images.part} images"
    training = spec.training
    rows = [
        ("data", data),
        ("judged on", part),
        ("trainings", f"{spec.seeds} of every network trained here, seeds from {spec.seed}"),
        ("recipe", str(training.get("name", "")) + f", {training.get('epochs')} epochs"),
        ("deletion", "the branch is left out, its shortcut and what follows the addition run"),
        ("margin", "none" if spec.margin is None else points(spec.margin)),
        ("evaluations", f"{result.num_trials:,}"),
    ]
    return Table("Protocol", words("what", "value"), tuple(rows))


def all_tables(result: DeletionResult) -> Iterator[Table]:
    """Yield every table that has rows, the first two always."""
    yield networks_table(result)
    more = [contrasts_table(result), estimates_table(result)]
    more += [units_table(network) for network in result.networks]
    more += [
        groups_table(result),
        random_table(result),
        pairs_table(result),
        scale_table(result),
        reorder_table(result),
        paths_table(result),
        effective_table(result),
        *(() if result.ensembles is None else ensemble_tables(result.ensembles)),
        notes_table(result),
        missing_table(result),
    ]
    yield from (table for table in more if table.rows)
