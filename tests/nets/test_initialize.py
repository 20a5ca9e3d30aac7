"""Initial weights: from the seed and the parameter's name, with the promised spread."""

import math

import pytest
import torch
from torch import nn

from nasablate.nets import initialize


class Pair(nn.Module):
    """The same layers, registered in either order."""

    def __init__(self, *, reverse: bool = False, extra: bool = False) -> None:
        super().__init__()
        layers = {
            "conv": nn.Conv2d(16, 32, 3, groups=4),
            "bn": nn.BatchNorm2d(32),
            "fc": nn.Linear(40, 30),
        }
        for name in reversed(layers) if reverse else layers:
            if extra:
                self.add_module(f"before_{name}", nn.Conv2d(3, 3, 3))
            self.add_module(name, layers[name])


def test_values_depend_on_seed_and_name_alone() -> None:
    torch.manual_seed(1)
    first = Pair()
    torch.manual_seed(2)
    second = Pair(reverse=True, extra=True)
    initialize(first, "kaiming_fan_out", 7)
    initialize(second, "kaiming_fan_out", 7)
    others = second.state_dict()
    assert all(torch.equal(value, others[name]) for name, value in first.state_dict().items())
    initialize(second, "kaiming_fan_out", 8)
    assert not torch.equal(first.conv.weight, second.conv.weight)


def test_global_generator_is_left_alone() -> None:
    torch.manual_seed(3)
    net = Pair()
    state = torch.get_rng_state()
    initialize(net, "kaiming_fan_in", 0)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(("rule", "fan"), [("kaiming_fan_in", 4 * 9), ("kaiming_fan_out", 32 * 9)])
def test_spread(rule: str, fan: int) -> None:
    net = Pair()
    initialize(net, rule, 0)
    std = net.conv.weight.std().item()
    assert std == pytest.approx(math.sqrt(2 / fan), rel=0.06)
    reference = torch.empty_like(net.conv.weight)
    nn.init.kaiming_normal_(reference, mode=rule.removeprefix("kaiming_"))
    assert reference.std().item() == pytest.approx(std, rel=0.1)
    bound = 1 / math.sqrt(40)
    assert net.fc.weight.abs().max().item() <= bound
    assert net.fc.weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.06)


def test_norm_and_biases() -> None:
    net = Pair()
    net.bn(torch.randn(4, 32, 2, 2))
    nn.init.normal_(net.bn.weight)
    initialize(net, "kaiming_fan_out", 0)
    assert torch.equal(net.bn.weight, torch.ones(32))
    assert torch.equal(net.bn.running_mean, torch.zeros(32))
    assert net.bn.num_batches_tracked == 0
    for bias in (net.conv.bias, net.bn.bias, net.fc.bias):
        assert not bias.any()


def test_an_unknown_layer_with_weights_is_refused() -> None:
    with pytest.raises(AssertionError):
        initialize(nn.Sequential(nn.PReLU()), "kaiming_fan_out", 0)
