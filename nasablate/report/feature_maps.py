"""Which images excite channels of a trained trial most, and what in them does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nasablate.errors import NasablateError
from nasablate.figures.feature_maps import (
    Excited,
    FeatureMaps,
    Pixels,
    feature_maps_svg,
    spread_channels,
)
from nasablate.genome.data_spec import DataSpec
from nasablate.report.inside import trained_net
from nasablate.report.loading import weights_path
from nasablate.report.markup import paragraph, scrolling
from nasablate.store import TrialRecord

if TYPE_CHECKING:
    from torch import Tensor

    from nasablate.data.images import DataInfo, ImageSet, TrainingData
    from nasablate.nets import Net

_NOTE = (
    "Each validation image beside what in it excites the channel, by guided backpropagation from"
    " its strongest activation to the image (Springenberg et al. 2015, arXiv 1412.6806): mid-grey"
    " is nothing, light raises the activation, dark lowers it, each scaled to its own range. The"
    " numbers are the activations. It shows what a channel answers to, not what the network's"
    " decision rests on."
)


class AbsentError(NasablateError):
    """The figure cannot be made here; its text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at; see ``FeatureMapsPanel``."""

    unit: str = ""
    channels: tuple[int, ...] = ()
    most: int = 4
    images: int = 500


def trial_maps(
    trial: TrialRecord, url: str, data: DataSpec | None, wanted: Wanted
) -> FeatureMaps | None:
    """Return what excites channels of a trained trial; None if it kept no weights.

    Args:
        trial: The trial.
        url: Of its database.
        data: What it was trained on, None if that is not on record.
        wanted: What is looked at.

    Raises:
        AbsentError: network or data cannot be had here, or there is no such unit or channel.
    """
    from nasablate.training.inspection import excitations, front_of

    path = weights_path(trial, url)
    if not path.is_file():
        return None
    loaded = _images(trial, data)
    try:
        net = trained_net(trial, path)
    except (NasablateError, ValueError, KeyError) as error:
        message = f"its network cannot be built here ({error})"
        raise AbsentError(message) from error
    unit, front = wanted.unit or net.blueprint.parts[-2].name, None
    front = front_of(net, unit)
    if front is None:
        names = ", ".join(part.name for part in net.blueprint.parts[:-1])
        message = f"it has no unit {unit}; it has {names}"
        raise AbsentError(message)
    total = _channels(net, unit)
    channels = wanted.channels or spread_channels(total)
    if max(channels) >= total:
        message = f"{unit} has {total} channels, so none is numbered {max(channels)}"
        raise AbsentError(message)
    part, batches = _first(loaded, wanted.images)
    found = excitations(front, batches, channels, wanted.most)
    excited = tuple(
        Excited(
            one.channel, one.image, one.activation, (one.row, one.column),
            _pixels(one.seen.numpy(), loaded.info), one.projection.double().numpy(),
        )
        for one in found
    )  # fmt: skip
    return FeatureMaps(trial.name, unit, total, len(part), excited)


def _images(trial: TrialRecord, data: DataSpec | None) -> "TrainingData":
    """Return the images that the trial was trained on.

    Raises:
        AbsentError: they are not here.
    """
    from nasablate.data import load_train

    if data is None:
        message = "the study does not say which data it was trained on"
        raise AbsentError(message)
    try:
        loaded = load_train(data)
    except NasablateError as error:
        message = f"it needs the data {data.name}, which are not here ({error})"
        raise AbsentError(message) from error
    known = trial.attributes.get("data_fingerprint")
    if known not in {None, loaded.info.fingerprint}:
        message = f"the data {data.name} here are not those it was trained on"
        raise AbsentError(message)
    return loaded


def _pixels(seen: NDArray[np.float32], info: "DataInfo") -> Pixels:
    """Return a normalised image as a picture again."""
    mean, std = (np.asarray(values)[:, None, None] for values in (info.mean, info.std))
    return np.rint(255 * (seen * std + mean)).clip(0, 255).astype(np.uint8)


def _channels(net: "Net", unit: str) -> int:
    parts = net.blueprint.parts
    return next(part.fragment.output_shape[0] for part in parts if part.name == unit)


_Batches = Iterable[tuple["Tensor", "Tensor"]]


def _first(loaded: "TrainingData", most: int) -> tuple["ImageSet", _Batches]:
    """Return the first validation images as the network reads them, and normalised batches."""
    import torch

    from nasablate.data.batches import eval_batches
    from nasablate.data.cropping import as_read
    from nasablate.data.images import frozen

    chunks: list[np.ndarray] = []
    for chunk in loaded.val.chunks():
        chunks.append(chunk[: most - sum(map(len, chunks))])
        if sum(map(len, chunks)) >= most:
            break
    images = as_read(np.concatenate(chunks), loaded.info)
    part = frozen(images, loaded.val.labels[: len(images)])
    return part, eval_batches(part, loaded.info, 100, torch.device("cpu"))


def feature_maps_markup(maps: FeatureMaps) -> str:
    """Return the figure with what it shows below."""
    drawn = scrolling(f"What excites channels of {maps.network}", feature_maps_svg(maps))
    return f"{drawn}{paragraph(_NOTE, 'note')}"
