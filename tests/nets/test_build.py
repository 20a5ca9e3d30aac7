"""The builder, on blueprints written by hand: naming, order, liveness, export, pickling."""

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import jaxtyping
import pytest
import torch
from torch import nn

from nasablate.blueprint import IMAGE, Blueprint, Layer, ops
from nasablate.blueprint.blueprint import Fragment, Part
from nasablate.nets import build


def tiny(p: float = 0.0, per: Any = "sample", rescale: Any = "train") -> Blueprint:
    """A stem, one residual unit with split attention, a squeeze gate and a padded shortcut."""
    feature, wide = (4, 6, 6), (6, 3, 3)
    unit = (
        Layer("conv1", ops.Conv(4, 12, 3, 2, 1, groups=2), (IMAGE,), (12, 3, 3)),
        Layer("bn1", ops.Norm(12, 1e-5, 0.1), (0,), (12, 3, 3)),
        Layer("act1", ops.Act("relu"), (1,), (12, 3, 3)),
        Layer("split_sum", ops.RadixSum(2), (2,), wide),
        Layer("squeeze", ops.GlobalPool(), (3,), (6, 1, 1)),
        Layer("fc", ops.Conv(6, 12, 1, bias=True), (4,), (12, 1, 1)),
        Layer("weights", ops.RadixSoftmax(2, 3), (5,), (12, 1, 1)),
        Layer("combine", ops.RadixCombine(2), (2, 6), wide),
        Layer("gate", ops.Gate(), (7, 4), wide),
        Layer("drop", ops.DropBranch(p, per, rescale), (8,), wide),
        Layer("reduce", ops.Pool("avg", 2, 2, ceil=True), (IMAGE,), (4, 3, 3)),
        Layer("pad", ops.PadChannels(0, 2), (10,), wide),
        Layer("add", ops.Add(), (9, 11), wide),
    )
    stem = (Layer("conv", ops.Conv(3, 4, 3, padding=1), (IMAGE,), feature),)
    head = (
        Layer("pool", ops.GlobalPool(), (IMAGE,), (6, 1, 1)),
        Layer("flatten", ops.Flatten(), (0,), (6,)),
        Layer("dropout", ops.Dropout(0.0), (1,), (6,)),
        Layer("fc", ops.Linear(6, 5), (2,), (5,)),
    )
    parts = (
        Part("stem", -1, Fragment("stem", (3, 6, 6), stem, 0)),
        Part("stages.0.0", 0, Fragment("basic", feature, unit, 12, 9, 11, 12)),
        Part("stages.0.1", 0, Fragment("basic", wide, (), IMAGE)),
        Part("head", -1, Fragment("head", wide, head, 3)),
    )
    return Blueprint((3, 6, 6), parts)


def unit_of(image: ops.Shape, layers: tuple[Layer, ...]) -> nn.Module:
    """One unit by itself, whose result may be a feature map."""
    fragment = Fragment("stem", image, layers, len(layers) - 1)
    return build(Blueprint(image, (Part("stem", -1, fragment),))).units[0][1]


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def test_state_dict_keys_are_dotted_layer_names() -> None:
    keys = build(tiny()).state_dict().keys()
    assert {"stem.conv.weight", "stages.0.0.conv1.weight", "head.fc.bias"} <= set(keys)


def test_equals_the_same_network_written_out(images: torch.Tensor) -> None:
    net = build(tiny()).eval()
    unit = net.get_submodule("stages.0.0")
    x = net.get_submodule("stem.conv")(images)
    splits = torch.relu(unit.bn1(unit.conv1(x)))
    mean = (splits[:, :6] + splits[:, 6:]).mean((2, 3), keepdim=True)
    logits = unit.fc(mean)  # cardinality-major: for each of 3 groups, 2 splits of 2 channels
    first = logits[:, [0, 1, 4, 5, 8, 9]]
    second = logits[:, [2, 3, 6, 7, 10, 11]]
    share = torch.sigmoid(first - second)
    branch = (splits[:, :6] * share + splits[:, 6:] * (1 - share)) * mean
    shortcut = torch.zeros_like(branch)
    shortcut[:, :4] = nn.functional.avg_pool2d(x, 2)
    expected = net.get_submodule("head.fc")((branch + shortcut).mean((2, 3)))
    torch.testing.assert_close(net(images), expected)


def test_units_called_one_by_one_are_the_network(images: torch.Tensor) -> None:
    net = build(tiny()).eval()
    x = images
    for unit, module in net.units:
        x = module(x)
        assert x.shape[1:] == net.blueprint.shape_at(unit.output)
    assert torch.equal(x, net(images))


def test_a_replaced_child_is_used(images: torch.Tensor) -> None:
    net = build(tiny()).eval()
    before = net(images)
    net.get_submodule("stages.0.0").bn1 = nn.Identity()
    nn.init.zeros_(net.get_submodule("stages.0.0.conv1").weight)
    assert not torch.equal(net(images), before)


def test_intermediate_tensors_are_freed() -> None:
    """Every slot but the result is dropped as soon as nobody reads it again."""
    unit = build(tiny()).get_submodule("stages.0.0")
    alive, peak = {0}, 0
    for step in unit.steps:
        assert set(step.inputs) <= alive
        alive |= {step.output}
        peak = max(peak, len(alive))
        alive -= set(step.frees)
    assert alive == {unit.result}
    assert peak == 5  # the unit's input, the splits, their mean, the weights, the result


def test_pickles_and_copies(images: torch.Tensor) -> None:
    net = build(tiny()).eval()
    twin = pickle.loads(pickle.dumps(net))
    assert torch.equal(twin(images), net(images))
    assert torch.equal(copy.deepcopy(net)(images), net(images))


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Shape checks off: the suite's import hook adds them, and dynamo cannot trace them."""
    jaxtyping.config.update("jaxtyping_disable", True)  # noqa: FBT003
    yield
    jaxtyping.config.update("jaxtyping_disable", False)  # noqa: FBT003


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("per", ["batch", "sample"])
def test_exports_and_traces_to_one_graph(images: torch.Tensor, per: str) -> None:
    net = build(tiny(0.5, per))
    exported = torch.export.export(net.eval(), (images,)).module()
    torch.testing.assert_close(exported(images), net(images))
    compiled = torch.compile(net.train(), backend="eager", fullgraph=True)
    assert compiled(images).shape == (4, 5)


@pytest.mark.parametrize("per", ["batch", "sample"])
@pytest.mark.parametrize("rescale", ["train", "test"])
def test_drop_branch_keeps_the_expectation(per: str, rescale: str) -> None:
    drop = build(tiny(0.25, per, rescale)).get_submodule("stages.0.0.drop")
    torch.manual_seed(0)
    x = torch.ones(2000, 1, 2, 2)
    draws = [drop(x[:8] if per == "batch" else x) for _ in range(2000 if per == "batch" else 1)]
    gates = torch.cat([draw if per == "sample" else draw[:1] for draw in draws])
    scale = 1 / 0.75 if rescale == "train" else 1.0
    assert set(gates.unique().tolist()) == {0.0, torch.tensor(scale).item()}
    assert abs((gates > 0).float().mean().item() - 0.75) < 0.04
    if per == "batch":
        assert all(draw.unique().numel() == 1 for draw in draws)
    kept = drop.eval()(x).unique().tolist()
    assert kept == [1.0 if rescale == "train" else 0.75]


@pytest.mark.parametrize(("count_padding", "corner"), [(False, 1.0), (True, 4 / 9)])
def test_average_pool_counts_padding_only_when_told(*, count_padding: bool, corner: float) -> None:
    op = ops.Pool("avg", 3, 2, padding=1, count_padding=count_padding)
    net = unit_of((1, 4, 4), (Layer("pool", op, (IMAGE,), (1, 2, 2)),))
    pooled = net(torch.ones(1, 1, 4, 4))
    assert pooled[0, 0, 0, 0].item() == pytest.approx(corner)
    assert pooled[0, 0, 1, 1].item() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "function", ["relu", "relu6", "leaky_relu", "silu", "gelu", "tanh", "sigmoid"]
)
def test_activations_are_the_named_function(function: str) -> None:
    layers = (Layer("act", ops.Act(function), (IMAGE,), (1, 2, 2)),)
    net = unit_of((1, 2, 2), layers)
    x = torch.linspace(-8, 8, 4).view(1, 1, 2, 2)
    kept = x.clone()
    table = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}
    expected = table.get(function) or getattr(nn.functional, function)
    assert torch.equal(net(x), expected(x))
    assert torch.equal(x, kept)
