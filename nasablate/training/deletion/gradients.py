"""The gradient that reaches the input along paths of a given length (Veit et al. 2016, sec. 4.3).

A network of n residual units is a sum over 2^n paths: each unit is passed either through its
branch or through its shortcut. The forward pass is that of the whole network. On the way back the
k units of a path pass the gradient through their branch only, all others through their shortcut
only, so the gradients of all 2^n paths add up to the gradient of the network. What follows an
addition (a merged ReLU), stem, head and plain units belong to every path.

The loss is the cross-entropy of every image by itself, in evaluation mode, and the norm is that
of the gradient with respect to one normalised image, so neither depends on the size of a batch.
The forward pass is kept as one graph per unit and shared by all paths of a batch.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nasablate.blueprint.blueprint import Fragment
from nasablate.blueprint.layer import IMAGE
from nasablate.errors import InputError
from nasablate.nets import Net
from nasablate.training.deletion.candidates import has_branch

Path = tuple[int, ...]
"""The units passed through their branch, as indices in ``Blueprint.units``, ascending."""


@dataclass(frozen=True, slots=True)
class PathNorms:
    """Norms of gradients by path length."""

    units: tuple[int, ...]
    """All units with a branch and a shortcut, n of them."""
    lengths: tuple[int, ...]
    """Branches on the path, 0 to n."""
    norms: NDArray[np.float64]
    """Mean over images of the L2 norm of one path's gradient [lengths, samples]."""


def measure_paths(
    net: Net,
    batches: Iterable[tuple[Tensor, Tensor]],
    lengths: Sequence[int],
    samples: int,
    seed: int,
    progress: Callable[[int], None] | None = None,
) -> PathNorms:
    """Return the gradients' norms of random paths, the same paths for all images.

    Every path has a random stream of its own: more lengths or samples leave the others as they
    are. ``net`` is left in evaluation mode.

    Args:
        net: The trained network.
        batches: Normalised images and labels; the graph of one batch is kept in memory.
        lengths: Branches on the paths.
        samples: Paths per length, drawn with replacement.
        seed: Of the draws.
        progress: Called with the number of images done after every batch.

    Raises:
        InputError: a length is not from 0 to the number of units with a shortcut, there is no
            such unit, or ``samples`` is below 1.
    """
    units = branching_units(net)
    paths = [draw_paths(units, length, samples, seed) for length in lengths]
    distinct = sorted({path for drawn in paths for path in drawn})
    totals = dict.fromkeys(distinct, 0.0)
    num_images = 0
    net.eval()
    for images, labels in batches:
        tape = Tape(net, images, labels)
        for path in distinct:
            totals[path] += float(tape.norms(path).sum())
        num_images += len(labels)
        if progress is not None:
            progress(num_images)
    means = [[totals[path] / num_images for path in drawn] for drawn in paths]
    return PathNorms(units, tuple(lengths), np.array(means, dtype=np.float64))


def branching_units(net: Net) -> tuple[int, ...]:
    """Return the units that have both a branch and a shortcut."""
    parts = net.blueprint.parts
    return tuple(index for index, part in enumerate(parts) if has_branch(part.fragment))


def draw_paths(units: Sequence[int], length: int, samples: int, seed: int) -> list[Path]:
    """Return random paths through ``length`` branches, uniformly, with replacement.

    Raises:
        InputError: no unit, or a length or a number of samples that cannot be.
    """
    if not units:
        message = "no unit has a shortcut, so there is a single path"
        raise InputError(message)
    if not 0 <= length <= len(units):
        message = f"length = {length}: must be from 0 to {len(units)}, the units with a shortcut"
        raise InputError(message)
    if samples < 1:
        message = f"samples = {samples}: must be at least 1"
        raise InputError(message)
    if comb(len(units), length) == 1:
        return [tuple(units) if length else ()] * samples
    return [_draw(units, length, np.random.default_rng([seed, length, i])) for i in range(samples)]


def _draw(units: Sequence[int], length: int, rng: np.random.Generator) -> Path:
    chosen: list[int] = rng.choice(units, length, replace=False).tolist()
    return tuple(sorted(chosen))


@dataclass(frozen=True, slots=True)
class _Piece:
    """One part's forward pass, cut off from the parts around it."""

    source: Tensor
    """Its input, a leaf."""
    result: Tensor
    joined: Tensor | None = None
    """The sum of branch and shortcut, a leaf again; None for a part without both."""
    branch: Tensor | None = None
    shortcut: Tensor | None = None


class Tape:
    """The forward pass of one batch, and what comes back along any path."""

    def __init__(self, net: Net, images: Tensor, labels: Tensor) -> None:
        self._pieces: list[_Piece] = []
        x = images
        with torch.enable_grad():
            for (_, module), part in zip(net.units, net.blueprint.parts, strict=True):
                piece = _forward(module, part.fragment, x.detach().requires_grad_())
                self._pieces.append(piece)
                x = piece.result
            loss = functional.cross_entropy(x, labels, reduction="sum")
        head = self._pieces.pop()
        self._start = _pulled_back(loss, head.source, None)

    def norms(self, path: Path) -> Tensor:
        """Return the L2 norm of every image's gradient, float64 [B]."""
        gradient, exponents = self.gradient(path)
        norms = gradient.double().square().flatten(1).sum(dim=1).sqrt()
        return norms * torch.exp2(exponents.double())

    def gradient(self, path: Path) -> tuple[Tensor, Tensor]:
        """Return g [B, C, H, W] and e [B]: the gradient of image i is ``g[i] * 2 ** e[i]``.

        Long paths carry less than float32 can hold, so it is brought back to about 1 after every
        part, by powers of two, which costs no accuracy.
        """
        chosen = frozenset(path)
        gradient, exponents = _rescaled(self._start, torch.zeros(len(self._start)))
        for index in reversed(range(len(self._pieces))):
            gradient = _back(self._pieces[index], gradient, through_branch=index in chosen)
            gradient, exponents = _rescaled(gradient, exponents)
        return gradient, exponents


def _forward(module: nn.Module, fragment: Fragment, x: Tensor) -> _Piece:
    if not has_branch(fragment):
        return _Piece(x, module(x))
    values = {IMAGE: x}
    joined = x
    for index, layer in enumerate(fragment.layers):
        value: Tensor = getattr(module, layer.name)(*[values[source] for source in layer.inputs])
        if index == fragment.merge:
            value = joined = value.detach().requires_grad_()
        values[index] = value
    assert fragment.branch is not None
    assert fragment.shortcut is not None
    result = values[fragment.output]
    return _Piece(x, result, joined, values[fragment.branch], values[fragment.shortcut])


def _back(piece: _Piece, gradient: Tensor, *, through_branch: bool) -> Tensor:
    if piece.joined is None:
        return _pulled_back(piece.result, piece.source, gradient)
    at_sum = _pulled_back(piece.result, piece.joined, gradient)
    way = piece.branch if through_branch else piece.shortcut
    assert way is not None
    return _pulled_back(way, piece.source, at_sum)


def _pulled_back(result: Tensor, source: Tensor, gradient: Tensor | None) -> Tensor:
    """Return the gradient at ``source`` of what has ``gradient`` at ``result``."""
    if result is source:
        assert gradient is not None
        return gradient
    (found,) = torch.autograd.grad(result, source, gradient, retain_graph=True)
    return found


def _rescaled(gradient: Tensor, exponents: Tensor) -> tuple[Tensor, Tensor]:
    largest = gradient.abs().flatten(1).amax(dim=1)
    _, found = torch.frexp(largest)
    shape = (-1, *([1] * (gradient.ndim - 1)))
    # ldexp would go through float32, which holds no 2 ** -150
    factors = torch.exp2(-found.double()).to(gradient.dtype)
    return gradient * factors.reshape(shape), exponents.to(gradient.device) + found
