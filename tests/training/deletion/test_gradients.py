"""Gradients along paths against autograd, with branches or shortcuts cut off by hand."""

import itertools
from math import comb

import numpy as np
import pytest
import torch
from torch.nn import functional

from nasablate.analysis.paths import path_counts
from nasablate.errors import InputError
from nasablate.nets import Net
from nasablate.training.deletion.gradients import (
    Path,
    Tape,
    branching_units,
    draw_paths,
    measure_paths,
)
from tests.training.deletion.families import FAMILIES, family, images, trained


def cut(net: Net, path: Path) -> None:
    """Let every addition pass the gradient on to one of its inputs only."""
    for unit in branching_units(net):
        dead = 0 if unit in path else 1
        addition = net.units[unit][1].get_submodule("add")
        addition.register_forward_pre_hook(
            lambda _, inputs, dead=dead: tuple(
                x.detach() if i == dead else x for i, x in enumerate(inputs)
            )
        )


def autograd(net: Net, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    leaf = batch[0].clone().requires_grad_()
    functional.cross_entropy(net(leaf), batch[1], reduction="sum").backward()
    assert leaf.grad is not None
    return leaf.grad.double()


def along(tape: Tape, path: Path) -> torch.Tensor:
    gradient, exponents = tape.gradient(path)
    return gradient.double() * torch.exp2(exponents.double()).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_path_is_the_network_with_the_other_ways_cut(name: str) -> None:
    net = family(name)
    batch = images(net, 2)
    units = branching_units(net)
    for path in ((), units[:1], units[1:3], units[-1:], units):
        found = along(Tape(net, *batch), path)
        other = family(name)
        cut(other, path)
        expected = autograd(other, batch)
        assert (found - expected).abs().max() <= 1e-4 * expected.abs().max(), path
        assert expected.abs().max() > 0


@pytest.mark.parametrize("name", ["identity, merged relu", "pre-activation", "exclusive gating"])
def test_all_paths_add_up_to_the_gradient(name: str) -> None:
    net = family(name)
    batch = images(net, 2)
    units = branching_units(net)
    tape = Tape(net, *batch)
    total = torch.zeros(batch[0].shape, dtype=torch.float64)
    num_paths = 0
    for length in range(len(units) + 1):
        for path in itertools.combinations(units, length):
            total += along(tape, path)
            num_paths += 1
        assert num_paths == sum(path_counts(len(units))[: length + 1])
    expected = autograd(net, batch)
    assert (total - expected).abs().max() <= 1e-4 * expected.abs().max()


def test_norms_do_not_depend_on_the_batches() -> None:
    net = family("pre-activation")
    batch, labels = images(net, 6)
    whole = measure_paths(net, [(batch, labels)], [0, 2, 6], 3, seed=0)
    halves = [(batch[:2], labels[:2]), (batch[2:], labels[2:])]
    parts = measure_paths(net, halves, [0, 2, 6], 3, seed=0)
    assert np.allclose(whole.norms, parts.norms, rtol=1e-5)
    assert whole.norms.shape == (3, 3)
    path = draw_paths(whole.units, 2, 3, seed=0)[1]
    each = along(Tape(net, batch, labels), path).flatten(1).norm(dim=1)
    assert whole.norms[1, 1] == pytest.approx(float(each.mean()), rel=1e-5)


def test_gradients_smaller_than_float32_are_not_lost() -> None:
    net = trained("preactresnet-110", {"width": 8, "stem.width": 8}, (6, 6), side=8)
    batch = images(net, 2)
    units = branching_units(net)
    factor = 2.0**-20  # a power of two, so that the expected norm is exact
    plain = float(Tape(net, *batch).norms(units)[0])
    for unit in units:
        convolution = net.units[unit][1].get_submodule("conv2")
        convolution.weight.data.mul_(factor)
        addition = net.units[unit][1].get_submodule("add")
        # the forward pass stays what it was: only the gradient shrinks
        addition.register_forward_pre_hook(
            lambda _, inputs: (inputs[0], inputs[1] + (inputs[1] / factor - inputs[1]).detach())
        )
    assert float(Tape(net, *batch).norms(units)[0]) > 0
    small = float(Tape(net, *batch).norms(units)[0])
    assert small < 1e-60
    assert small == pytest.approx(plain * factor ** len(units), rel=0.05)


def test_paths_are_drawn_uniformly_and_stay_when_more_are_drawn() -> None:
    units = (2, 3, 5, 7)
    drawn = draw_paths(units, 2, 600, seed=3)
    assert drawn[:10] == draw_paths(units, 2, 10, seed=3)
    assert drawn != draw_paths(units, 2, 600, seed=4)
    counts = [drawn.count(path) for path in itertools.combinations(units, 2)]
    assert sum(counts) == 600
    assert len(counts) == comb(4, 2)
    assert min(counts) > 70
    assert draw_paths(units, 4, 2, seed=0) == [units, units]
    assert draw_paths(units, 0, 1, seed=0) == [()]


@pytest.mark.parametrize(
    ("preset", "lengths", "samples", "message"),
    [
        ("plain-20", [0], 1, "no unit has a shortcut"),
        ("resnet-20", [5], 1, "length = 5: must be from 0 to 4"),
        ("resnet-20", [-1], 1, "length = -1"),
        ("resnet-20", [1], 0, "samples = 0"),
    ],
)
def test_paths_that_do_not_exist(
    preset: str, lengths: list[int], samples: int, message: str
) -> None:
    net = trained(preset, {"width": 8, "stem.width": 8}, (2, 2))
    with pytest.raises(InputError, match=message):
        measure_paths(net, [images(net)], lengths, samples, seed=0)


def test_plain_units_belong_to_every_path() -> None:
    net = family("linear bottleneck")
    units = branching_units(net)
    assert 0 < len(units) < len(net.blueprint.parts) - 2
    assert measure_paths(net, [images(net)], [0], 1, seed=0).units == units
