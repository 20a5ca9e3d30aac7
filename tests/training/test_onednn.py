import copy

import torch
from torch import nn

from nasablate.training.onednn import avoid_strided_pointwise


def test_outputs_and_gradients_are_those_of_the_convolution() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(6, 8, 1, stride=2, groups=2)
    net = nn.Sequential(copy.deepcopy(plain))
    avoid_strided_pointwise(net)
    assert net[0].stride == (1, 1)
    assert set(net.state_dict()) == {"0.weight", "0.bias"}
    images = torch.randn(4, 6, 7, 7)  # contiguous: there the plain one is sound
    for size in (7, 6):
        x = images[..., :size, :size].contiguous()
        expected, ours = plain(x), net(x.to(memory_format=torch.channels_last))
        torch.testing.assert_close(ours.contiguous(), expected)
        expected.square().sum().backward()
        ours.square().sum().backward()
        torch.testing.assert_close(net[0].weight.grad.contiguous(), plain.weight.grad)


def test_only_narrow_strided_pointwise_convolutions_change() -> None:
    net = nn.Sequential(
        nn.Conv2d(16, 4, 1, stride=2), nn.Conv2d(4, 4, 3, stride=2), nn.Conv2d(4, 4, 1)
    )
    avoid_strided_pointwise(net)
    assert [conv.stride for conv in net] == [(2, 2), (2, 2), (1, 1)]
    assert not any(conv._forward_pre_hooks for conv in net)
