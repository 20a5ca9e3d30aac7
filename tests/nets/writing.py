"""What the written-out networks share: random weights to read by name, and the comparison.

A written-out network is a function of ``Written`` and images that returns logits; it shares no code
with the package. Weights, running statistics and images are random, so that a wrong order of
layers, a wrong input or a wrong stride shows.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nasablate.blueprint import lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets import Net, build

RTOL = 1e-9


@dataclass(frozen=True)
class Compared:
    """A comparison that was made: the edited preset and its largest relative difference."""

    preset: str
    genome: Genome
    error: float


COMPARED: list[Compared] = []
"""All comparisons of this process; ``benchmarks.exactness`` reads it."""


@dataclass(frozen=True)
class Written:
    """A network's weights, and whether it trains."""

    weights: dict[str, Tensor]
    training: bool = False

    def __getitem__(self, name: str) -> Tensor:
        return self.weights[name]

    def conv(self, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        """Convolve with half the kernel as padding."""
        weight = self[f"{name}.weight"]
        bias = self.weights.get(f"{name}.bias")
        return functional.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, groups=groups)

    def bn(self, name: str, x: Tensor) -> Tensor:
        """Normalise by the batch's own statistics in training, else by the running ones."""
        mean, var = self[f"{name}.running_mean"], self[f"{name}.running_var"]
        if self.training:
            mean = x.mean((0, 2, 3))
            var = (x - _column(mean)).pow(2).mean((0, 2, 3))
        x = (x - _column(mean)) / _column(var + 1e-5).sqrt()
        return x * _column(self[f"{name}.weight"]) + _column(self[f"{name}.bias"])

    def bn_relu(self, name: str, x: Tensor) -> Tensor:
        """Normalise and cut off below zero; the name is the slot's."""
        return relu(self.bn(f"{name}_bn", x))

    def squeeze(self, unit: str, x: Tensor) -> Tensor:
        """Return the gates of squeeze and excitation without normalisation."""
        hidden = relu(self.conv(f"{unit}.se_conv1", x.mean((2, 3), keepdim=True)))
        return 1 / (1 + (-self.conv(f"{unit}.se_conv2", hidden)).exp())

    def classify(self, x: Tensor) -> Tensor:
        """Average over the positions and apply the linear layer."""
        return x.mean((2, 3)) @ self["head.fc.weight"].T + self["head.fc.bias"]


Network = Callable[[Written, Tensor], Tensor]
Shortcut = Callable[[Tensor, Tensor, Tensor], Tensor]


def relu(x: Tensor) -> Tensor:
    return x * (x > 0)


def _column(values: Tensor) -> Tensor:
    return values[:, None, None]


def units(*depths: int, strides: Sequence[int] = (1, 2, 2, 2)) -> Iterator[tuple[str, int]]:
    """Yield name and stride of every unit."""
    for stage, depth in enumerate(depths):
        for index in range(depth):
            yield f"stages.{stage}.{index}", strides[stage] if index == 0 else 1


def follow(
    w: Written,
    unit: str,
    figure: str,
    x: Tensor,
    stride: int,
    shortcut: Shortcut,
    *,
    stride_at: str = "spatial",
) -> Tensor:
    """Run one unit as a figure draws it, from the top down: conv, bn, relu and +.

    The first 3x3 convolution strides, or the very first convolution. ``shortcut`` turns what comes
    in, what enters the first convolution and the branch into what is added to the branch.
    """
    raw = activated = x
    number, count, merged = 0, figure.split().count("conv"), False
    for token in figure.split():
        match token:
            case "conv":
                activated = activated if number else x
                number += 1
                spatial = w[f"{unit}.conv{number}.weight"].shape[-1] == 3
                strides = stride > 1 and (spatial or stride_at == "first")
                x = w.conv(f"{unit}.conv{number}", x, stride if strides else 1)
                stride = 1 if strides else stride
            case "bn":
                inside = {0: "pre", count: "post"}.get(number, f"between{number}")
                x = w.bn(f"{unit}.{'merged' if merged else inside}_bn", x)
            case "relu":
                x = relu(x)
            case _:
                x, merged = x + shortcut(raw, activated, x), True
    return x


def small(*depths: int, side: int = 8) -> dict[str, Any]:
    """Edits that make a network small: units per stage, height and width of the images."""
    stages = [{"units": n, "stride": 2 if stage else 1} for stage, n in enumerate(depths)]
    return {"input": {"channels": 3, "height": side, "width": side}, "stages": stages}


def network(preset: str, edits: dict[str, Any]) -> Net:
    """Build an edited preset in float64 with random weights and running statistics."""
    document, ignored = apply_edits(Genome, load_genome(preset).document(), edits)
    assert not ignored
    genome = Genome.parse(document)
    net = build(lower(genome)).double()
    net.written_from = (preset, genome)
    generator = torch.Generator().manual_seed(0)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            value.normal_(0, 0.2, generator=generator)
            if value.dim() > 1:
                value.mul_(5 / value[0].numel() ** 0.5)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
            if "bn.weight" in name:
                value.add_(1)
    return net


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread: with several, these small networks wait for busy cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def compare(net: Net, written: Network, *, seed: int = 0) -> None:
    """Assert equal logits in both modes and equal gradients of every parameter.

    In training the logits of auxiliary classifiers follow the network's own. Both networks draw
    random numbers, if any, from the same state of torch's generator.
    """
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(4, *net.blueprint.input, generator=generator, dtype=torch.float64)
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.no_grad():
        logits = net.eval()(images)
        errors = [assert_equal(logits, written(Written(weights), images), "logits")]
    assert logits.std() > 1e-3
    net.zero_grad()
    leaves = {name: weights[name].requires_grad_() for name, _ in net.named_parameters()}
    torch.manual_seed(seed)
    logits = torch.cat(net.train().all_logits(images), dim=1)
    torch.manual_seed(seed)
    expected = written(Written(weights | leaves, training=True), images)
    errors.append(assert_equal(logits, expected, "logits in training"))
    direction = torch.randn(logits.shape, generator=generator, dtype=torch.float64)
    (logits * direction).sum().backward()
    (expected * direction).sum().backward()
    # What cancels to zero, as the gradient of a bias before a normalisation, leaves the rounding
    # errors of its addends, which depend on the processor.
    steepest = max(
        float(leaf.grad.abs().max()) for leaf in leaves.values() if leaf.grad is not None
    )
    for name, parameter in net.named_parameters():
        found, wanted = parameter.grad, leaves[name].grad
        assert found is not None, name
        wanted = torch.zeros_like(found) if wanted is None else wanted
        errors.append(assert_equal(found, wanted, name, least=1e-4 * steepest))
    preset, genome = net.written_from
    COMPARED.append(Compared(preset, genome, max(errors)))


def assert_equal(found: Tensor, expected: Tensor, name: str, least: float = 0.0) -> float:
    """Compare to a relative 1e-9 of each value or of the largest one, taken to be `least` or more.

    Returns the largest difference relative to the largest value.
    """
    largest = max(float(expected.detach().abs().max()), 1e-3)
    atol = RTOL * max(largest, least)
    torch.testing.assert_close(
        found, expected, rtol=RTOL, atol=atol, msg=lambda text: f"{name}: {text}"
    )
    return float((found - expected).detach().abs().max()) / largest
