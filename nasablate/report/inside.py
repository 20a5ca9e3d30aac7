"""What one trial's network is like inside: gradients by depth, first filters of its weights.

Both build the network again; weights are there if the trial kept them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nasablate.errors import NasablateError
from nasablate.figures.filters import MOST, Filters, filters_svg
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.genome import Genome, Recipe, load_recipe
from nasablate.genome.edits import apply_edits
from nasablate.report.loading import weights_path
from nasablate.report.markup import paragraph, scrolling
from nasablate.store import TrialRecord

if TYPE_CHECKING:
    from nasablate.nets import Net

_NOTE = (
    "How much gradient arrives at each part: root mean square over 32 images of the L2 norm of the"
    " gradient of the cross-entropy with respect to the part's output. Images are standard normal"
    " noise, labels random, BN takes the batch's statistics. All networks have the trial's seed."
)


def gradients_lines(trial: TrialRecord, url: str) -> Lines | None:
    """Return the gradient by depth: as initialised, without shortcuts, and trained.

    None if the network cannot be built here, as one with a unit of the user's own code.

    Args:
        trial: The trial.
        url: Of its database.
    """
    try:
        series = tuple(_series(trial, url))
    except (NasablateError, ValueError, KeyError):
        return None
    names = [point.label for point in series[0].points]
    return Lines(
        key="gradients",
        title=f"Gradient by depth in {trial.name}",
        x_title="part, from the stem to the head",
        y_title="norm of the gradient",
        series=series,
        note=_NOTE,
        x_labels=tuple((float(place), name) for place, name in enumerate(names)),
        log_y=all(point.y > 0 for found in series for point in found.points),
    )


def _series(trial: TrialRecord, url: str) -> Iterator[Series]:
    genome, recipe = _described(trial)
    yield _measured("as initialised", _built(genome, recipe, trial))
    plain = without_shortcuts(genome)
    if plain is not None:
        yield _measured("as initialised, without shortcuts", _built(plain, recipe, trial))
    if (path := weights_path(trial, url)).is_file():
        yield _measured("trained", trained_net(trial, path))


def _described(trial: TrialRecord) -> tuple[Genome, Recipe]:
    genome = Genome.parse(trial.genome)
    return genome, load_recipe(json.loads(trial.attributes["recipe"]))


def without_shortcuts(genome: Genome) -> Genome | None:
    """Return the same network with plain units; None if it has no shortcuts, or would not stand."""
    document, ignored = apply_edits(Genome, genome.document(), {"shortcut": {"kind": "none"}})
    if ignored:
        return None
    try:
        plain = Genome.parse(document)
    except NasablateError:
        return None
    return None if plain == genome else plain


def _built(genome: Genome, recipe: Recipe, trial: TrialRecord) -> "Net":
    import torch

    from nasablate.nets import Net
    from nasablate.training.network import make_net

    net = make_net(genome, recipe, int(trial.attributes["seed"]), torch.device("cpu"))
    assert isinstance(net, Net)
    return net


def trained_net(trial: TrialRecord, path: Path) -> "Net":
    """Return a trial's network with its kept weights.

    Raises:
        RunError: the file cannot be read, or belongs to another network.
    """
    from nasablate.training.inspection import load_weights

    net = _built(*_described(trial), trial)
    load_weights(net, path)
    return net


def _measured(name: str, net: "Net") -> Series:
    from nasablate.training.inspection import unit_gradients

    norms = unit_gradients(net)
    pairs = zip(net.blueprint.parts, norms, strict=True)
    points = (LinePoint(place, norm, label=part.name) for place, (part, norm) in enumerate(pairs))
    return Series(name, tuple(points))


def trial_filters(trial: TrialRecord, url: str) -> Filters | None:
    """Return the first filters of a trained trial; None without kept weights or convolution."""
    from nasablate.training.inspection import first_filters

    path = weights_path(trial, url)
    if not path.is_file():
        return None
    try:
        found = first_filters(trained_net(trial, path))
    except (NasablateError, ValueError, KeyError):
        return None
    if found is None:
        return None
    pixels = found[:MOST].permute(0, 2, 3, 1).numpy().tolist()
    weights = cast("list[list[list[list[float]]]]", pixels)
    shown = tuple(tuple(tuple(tuple(pixel) for pixel in row) for row in one) for one in weights)
    return Filters(trial.name, shown, found.shape[0])


def filters_markup(filters: Filters) -> str:
    """Return the filters as a picture with what it shows below."""
    note = (
        "Weights of the first convolution after training, each filter scaled to its own range"
        + (", channels as red, green and blue" if filters.is_colour else ", first channel")
        + " (as Krizhevsky et al. 2012, figure 3, show theirs)."
    )
    drawn = scrolling(f"First filters of {filters.network}", filters_svg(filters))
    return f"{drawn}{paragraph(note, 'note')}"
