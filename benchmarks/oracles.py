"""Other libraries' networks with the weights of ours: logits, gradients and running statistics.

torchvision and timm are no dependencies: ``pip install nasablate[oracle]``.
"""

import importlib
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from nasablate.blueprint import lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets import Net, build
from nasablate.nets.other_names import our_names
from nasablate.nets.other_names_classic import Roles

SIDE = 72  # sizes on the way down: 36, 18, 9, 5, 3
BATCH = 2


@dataclass(frozen=True)
class Oracle:
    """A preset and the same network of another library."""

    preset: str
    other: str
    """``torchvision/name`` or ``timm/name``."""
    roles: Roles
    edits: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the other library does differently from the preset."""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    """Arguments of the other library's constructor."""
    without: str = ""
    """Name of modules of the other network that are left out."""
    side: int = SIDE
    """Height and width of the images."""

    @property
    def name(self) -> str:
        """What the comparison is called in reports."""
        arguments = ", ".join(f"{key}={value}" for key, value in self.options.items())
        name = f"{self.other}({arguments})" if arguments else self.other
        return f"{name} without {self.without}" if self.without else name

    @property
    def described(self) -> str:
        """The name, and what of the preset was edited for the comparison."""
        edits = ", ".join(f"{path}: {value}" for path, value in self.edits.items())
        return f"{self.name} with {edits}" if edits else self.name


@dataclass(frozen=True)
class Errors:
    """Largest relative differences of one comparison, in float64."""

    logits: float
    """In evaluation mode, relative to the largest logit."""
    train_logits: float
    """With the statistics of the batch."""
    gradients: float
    """Largest over all parameters; see ``gradient_error``."""
    statistics: float
    """Of the running means and variances after one step."""

    @property
    def largest(self) -> float:
        """The largest of all."""
        return max(self.logits, self.train_logits, self.gradients, self.statistics)


def available() -> bool:
    """Return whether both libraries are installed."""
    return find_spec("torchvision") is not None and find_spec("timm") is not None


@contextmanager
def one_thread() -> Generator[None]:
    """Compute in one thread: with several, small layers wait for busy cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def compare(oracle: Oracle) -> Errors:
    """Run both networks on the same images with the same random weights."""
    theirs = _create(oracle)
    randomize(theirs)
    ours = _ours(oracle)
    names = rename_all(theirs, oracle.roles, ours)
    _share_weights(theirs, ours, names)
    generator = torch.Generator().manual_seed(1)
    size = (BATCH, 3, oracle.side, oracle.side)
    images = torch.randn(size, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        expected, found = theirs.eval()(images), ours.eval()(images)
    assert expected.std() > 1e-6, "the logits do not depend on the image"
    train_expected, train_found = _train_step(theirs, images), _train_step(ours, images)
    return Errors(
        logits=relative(found, expected),
        train_logits=relative(train_found, train_expected),
        gradients=gradient_error(theirs, ours, names),
        statistics=_statistics_error(theirs, ours, names),
    )


def relative(found: Tensor, expected: Tensor, floor: float = 0.0) -> float:
    """Return the largest difference, relative to the largest expected value or ``floor``."""
    scale = max(float(expected.abs().max()), floor)
    return float((found.reshape(expected.shape) - expected).abs().max()) / scale


def gradient_error(theirs: nn.Module, ours: nn.Module, names: dict[str, str]) -> float:
    """Return the largest relative difference over all parameters' gradients.

    A gradient that is zero but for rounding (of a bias under a normalisation) has no relative
    error, so none is taken relative to less than a millionth of the network's largest gradient.
    """
    found = dict(ours.named_parameters())
    expected = {name: _gradient(parameter) for name, parameter in theirs.named_parameters()}
    assert {names[name] for name in expected} == set(found)
    floor = 1e-6 * max(float(gradient.abs().max()) for gradient in expected.values())
    pairs = ((_gradient(found[names[name]]), value) for name, value in expected.items())
    return max(relative(mine, other, floor) for mine, other in pairs)


def randomize(net: nn.Module) -> None:
    """Fill all weights and running statistics, so that a wrong order of layers shows."""
    generator = torch.Generator().manual_seed(0)
    for name, value in net.state_dict().items():
        if not value.is_floating_point():
            value.zero_()
        elif value.dim() > 1:
            value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        else:
            # scales of normalisations are about 1, everything else about 0
            value.normal_(0, 0.1, generator=generator).add_(
                "bias" not in name and "mean" not in name
            )


def rename_all(theirs: nn.Module, roles: Roles, ours: nn.Module) -> dict[str, str]:
    """Return our name of every one of their parameters and statistics."""
    wanted = set(ours.state_dict())
    names = our_names(theirs.state_dict(), roles, wanted)
    missing, unknown = wanted - set(names.values()), set(names.values()) - wanted
    assert not missing, f"not found there: {sorted(missing)[:5]}"
    assert not unknown, f"not found here: {sorted(unknown)[:5]}"
    return names


def _create(oracle: Oracle) -> nn.Module:
    torchvision, timm = _libraries()
    kind, _, model = oracle.other.partition("/")
    with torch.device("meta"):
        if kind == "torchvision":
            net = torchvision.models.get_model(model, weights=None, **oracle.options)
        else:
            net = timm.create_model(model, pretrained=False, drop_rate=0.0, **oracle.options)
    for module in list(net.modules()):
        if oracle.without and hasattr(module, oracle.without):
            setattr(module, oracle.without, nn.Identity())
    return net.double().to_empty(device="cpu")


@cache
def let_torchvision_load() -> torch.library.Library:
    """Name two operators that torchvision asks for when imported beside another build of torch.

    They are there as long as the library that is returned; the cache keeps it.
    """
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, operator):
            library.define(f"{operator}(Tensor dets, Tensor scores, float threshold) -> Tensor")
    return library


@cache
def _libraries() -> tuple[Any, Any]:
    let_torchvision_load()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("torchvision"), importlib.import_module("timm")


def _ours(oracle: Oracle) -> nn.Module:
    preset = load_genome(oracle.preset)
    size = {"input.height": oracle.side, "input.width": oracle.side}
    edits = {"head.dropout": 0.0, **size, **oracle.edits}
    if preset.auxiliary:
        edits |= {"auxiliary.*.dropout": 0.0}
    document, ignored = apply_edits(Genome, preset.document(), edits)
    assert not ignored
    with torch.device("meta"):
        return build(lower(Genome.parse(document))).double()


def _share_weights(theirs: nn.Module, ours: nn.Module, names: dict[str, str]) -> None:
    """Give our network their weights, and copies of their running statistics."""
    parameters = {name for name, _ in theirs.named_parameters()}
    shapes = {name: value.shape for name, value in ours.state_dict().items()}
    weights: dict[str, Tensor] = {}
    for name, value in theirs.state_dict().items():
        own = value if name in parameters else value.clone()
        # some classifiers are 1x1 convolutions
        weights[names[name]] = own.reshape(shapes[names[name]])
    ours.load_state_dict(weights, assign=True)


def _train_step(net: nn.Module, images: Tensor) -> Tensor:
    """Return the logits in training mode, after gradients of a random linear loss.

    Those of auxiliary classifiers follow the network's own.
    """
    logits = torch.cat(_all_logits(net.train(), images), dim=1)
    generator = torch.Generator().manual_seed(2)
    (logits * torch.randn(logits.shape, generator=generator, dtype=logits.dtype)).sum().backward()
    return logits.detach()


def _all_logits(net: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    if isinstance(net, Net):
        return net.all_logits(images)
    found: Tensor | tuple[Tensor, ...] = net(images)
    # torchvision names the auxiliary classifiers from the last to the first
    return (found,) if isinstance(found, Tensor) else (found[0], *reversed(found[1:]))


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _statistics_error(theirs: nn.Module, ours: nn.Module, names: dict[str, str]) -> float:
    found = dict(ours.named_buffers())
    pairs = [
        (found[names[name]], value)
        for name, value in theirs.named_buffers()
        if value.is_floating_point()
    ]
    return max((relative(mine, other) for mine, other in pairs), default=0.0)
