"""One trial's network: picture, cost by unit, learning curve, what became of it."""

from collections.abc import Sequence
from typing import Any

from nasablate.errors import NasablateError
from nasablate.figures.curves_plot import single_curve_plot
from nasablate.figures.numerals import number
from nasablate.report.markup import Drawing, scrolling, table
from nasablate.report.search_tables import STATES
from nasablate.report.tables import Table, numbers, plain, words
from nasablate.store import Epoch, TrialRecord


def network_parts(trial: TrialRecord, curve: Sequence[Epoch]) -> tuple[list[str], dict[str, Any]]:
    """Return the markup and the data of a trial's network; the picture if it can be drawn."""
    facts = Table(f"Trial {trial.name}", words("what", "value"), tuple(_facts(trial, curve)))
    parts, data = [table(facts)], dict(_facts(trial, curve))
    try:
        drawn, units = _picture(trial)
    except (NasablateError, ValueError, KeyError):
        return parts, data
    parts = [scrolling(f"Picture of {trial.name}", drawn), *parts, table(units)]
    return parts, {**data, "units": [list(map(str, row)) for row in units.rows]}


def _picture(trial: TrialRecord) -> tuple[str, Table]:
    from nasablate.blueprint import describe, lower
    from nasablate.figures.outline import outline
    from nasablate.figures.picture import picture
    from nasablate.genome import Genome

    blueprint = lower(Genome.parse(trial.genome))
    description = describe(blueprint, trial.name)
    columns = (*words("unit", "what", "output"), *numbers("KiB", "parameters", "multiply-adds"))
    rows = tuple(
        (
            row.name,
            row.what,
            " × ".join(map(str, row.output)),
            f"{row.memory_kb:,.1f}",
            f"{row.params:,}",
            f"{row.macs:,}",
        )
        for row in description.units
    )
    total = ("total", "", "", "", f"{description.cost.params:,}", f"{description.cost.macs:,}")
    units = Table("Units: output and cost of one image", columns, (*rows, total))
    return picture(outline(blueprint, trial.name)), units


def _facts(trial: TrialRecord, curve: Sequence[Epoch]) -> list[tuple[str, str]]:
    found = [("state", STATES[trial.state])]
    if curve:
        found.append(("validation error, %", f"{number(curve[-1].val_error)}"))
        found.append(("epochs", f"{len(curve)}"))
    found += [(name, plain(value)) for name, value in trial.params.items()]
    for key in ("params", "macs", "activation_bytes", "seed", "network_digest", "recipe_digest"):
        if key in trial.attributes:
            value = trial.attributes[key]
            found.append((key.replace("_", " "), f"{value:,}" if key != "seed" and
                          isinstance(value, int) else str(value)))  # fmt: skip
    if trial.failure_reason:
        found.append(("why it failed", trial.failure_reason))
    return found


def curve_drawing(trial: TrialRecord, curve: Sequence[Epoch]) -> Drawing:
    """Return the learning curve of one trial."""
    last = curve[-1]
    return Drawing(
        key=f"curve-{trial.number}",
        title=f"Learning curve of {trial.name}",
        caption="Error on the training images as the network saw them, and on the validation set.",
        alt=f"Error by epoch: after {last.epoch} epochs {number(last.val_error)} % on the"
        f" validation set, {number(last.train_error)} % in training.",
        plot=lambda: single_curve_plot(curve),
    )


def curve_table(trial: TrialRecord, curve: Sequence[Epoch]) -> Table:
    """Return every epoch of a trial."""
    titles = ("train error, %", "validation error, %", "train loss", "validation loss", "lr",
              "seconds")  # fmt: skip
    rows = tuple(
        (
            f"{epoch.epoch}",
            number(epoch.train_error),
            number(epoch.val_error),
            f"{epoch.train_loss:.4g}",
            f"{epoch.val_loss:.4g}",
            f"{epoch.lr:.4g}",
            f"{epoch.seconds:.1f}",
        )
        for epoch in curve
    )
    return Table(f"Every epoch of {trial.name}", (*words("epoch"), *numbers(*titles)), rows)
