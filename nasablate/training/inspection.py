"""What a network is like inside: gradients at its units, first filters, what excites channels.

Letters in shape comments: B batch, U channels of a unit, C H W an image.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from nasablate.errors import RunError
from nasablate.nets import Net

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def unit_gradients(net: Net, images: int = 32, seed: int = 0) -> tuple[float, ...]:
    """Return how much gradient arrives at the output of every part, from the stem to the head.

    Images are standard normal noise and labels random, the same for networks of one input and
    number of classes, so no data are needed. BN takes the statistics of this batch, whether the
    network is trained or not; nothing is dropped. The network's buffers stay as they are.

    Args:
        net: The network.
        images: How many.
        seed: Of images and labels.

    Returns:
        For each part in order the root mean square over images of the L2 norm of the gradient of
        the summed cross-entropy with respect to its output; the head's output are the logits.
    """
    generator = torch.Generator().manual_seed(seed)
    batch = torch.randn(images, *net.blueprint.input, generator=generator)
    kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
    was_training = {module: module.training for module in net.modules()}
    net.eval()
    for module in net.modules():
        if isinstance(module, _NORMS):
            module.train()
    outputs = list(_outputs(net, batch))
    logits = outputs[-1]
    labels = torch.randint(logits.shape[1], (images,), generator=generator)
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    gradients = torch.autograd.grad(loss, outputs)
    for name, buffer in net.named_buffers():
        buffer.copy_(kept[name])
    for module, training in was_training.items():
        module.training = training
    squares = [found.flatten(1).square().sum(dim=1).mean() for found in gradients]
    return tuple(float(found.sqrt()) for found in squares)


def _outputs(net: Net, batch: Tensor) -> Iterator[Tensor]:
    x = batch
    for _, module in net.units:
        x = module(x)
        yield x


def first_filters(net: Net) -> Float[Tensor, "filters channels height width"] | None:
    """Return the weights of the first convolution; None if the network begins with none."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            return module.weight.detach()
    return None


@dataclass(frozen=True, slots=True)
class Excitation:
    """Where a channel answers an image most strongly, and what of the image that comes from."""

    channel: int
    image: int
    """Its place among the images that were looked through, from 0."""
    activation: float
    row: int
    """Place of the activation in the channel's map, from 0, as is the column."""
    column: int
    seen: Float[Tensor, "channels height width"]
    """The normalised image, as the network reads it."""
    projection: Float[Tensor, "channels height width"]
    """The activation's gradient with respect to that, guided."""


def front_of(net: Net, unit: str) -> nn.Module | None:
    """Return the network up to a unit's output; None if it has no such unit, or no map there."""
    names = [part.name for part in net.blueprint.parts]
    if unit not in names[:-1]:  # the head's output are logits
        return None
    return nn.Sequential(*[module for _, module in net.units[: names.index(unit) + 1]])


def excitations(
    front: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    channels: Sequence[int],
    most: int,
) -> list[Excitation]:
    """Return the images that excite each channel most, with what excites it in them.

    The way back to the image is guided backpropagation (Springenberg et al. 2015, arXiv
    1412.6806): at a ReLU passes what is positive on the way forth and on the way back. Unlike the
    deconvolutional network of Zeiler and Fergus 2014 it needs no max pooling. Other activations
    pass their gradient. ``front`` is left in evaluation mode.

    Args:
        front: From images [B, C, H, W] to maps [B, U, rows, columns].
        batches: Normalised images with labels.
        channels: Of the maps, from 0.
        most: Images of each channel.

    Returns:
        Channel by channel, the strongest first; of equal ones the earlier image.
    """
    front.eval()
    peaks: dict[int, list[tuple[float, int, Tensor]]] = {channel: [] for channel in channels}
    seen = 0
    for images, _ in batches:
        with torch.no_grad():
            strongest = front(images)[:, list(channels)].flatten(2).amax(2)
        for place, channel in enumerate(channels):
            values, order = strongest[:, place].sort(descending=True, stable=True)
            found = zip(values[:most].tolist(), order[:most].tolist(), strict=True)
            merged = [*peaks[channel], *((value, seen + at, images[at]) for value, at in found)]
            peaks[channel] = sorted(merged, key=lambda peak: -peak[0])[:most]
        seen += len(images)
    with _guided(front):
        return [found for channel in channels for found in _projected(front, channel, peaks)]


def _projected(
    front: nn.Module, channel: int, peaks: dict[int, list[tuple[float, int, Tensor]]]
) -> Iterator[Excitation]:
    images = torch.stack([image for _, _, image in peaks[channel]]).requires_grad_()
    maps = front(images)[:, channel]
    values, places = maps.flatten(1).max(1)
    [projections] = torch.autograd.grad(values.sum(), [images])
    for peak, value, place, projection in zip(
        peaks[channel], values.tolist(), places.tolist(), projections, strict=True
    ):
        row, column = divmod(int(place), maps.shape[-1])
        yield Excitation(channel, peak[1], value, row, column, peak[2], projection)


@contextmanager
def _guided(module: nn.Module) -> Generator[None]:
    """Let every ReLU of a module pass positive gradients only."""

    def positive(
        _: nn.Module, inward: tuple[Tensor, ...] | Tensor, __: tuple[Tensor, ...] | Tensor
    ) -> tuple[Tensor, ...]:
        [gradient] = inward
        return (gradient.clamp(min=0),)

    hooks = [
        found.register_full_backward_hook(positive)
        for found in module.modules()
        if isinstance(found, nn.ReLU | nn.ReLU6)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def load_weights(net: Net, path: Path) -> None:
    """Put kept weights into a network.

    Raises:
        RunError: the file cannot be read, or belongs to another network.
    """
    try:
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # damaged files raise many kinds, a wrong network RuntimeError
        reason = " ".join(str(error).split())[:200]
        message = f"{path.name}: these are not this network's weights ({reason})"
        raise RunError(message) from error
