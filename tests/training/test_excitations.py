"""What excites a channel, on networks whose answer is known."""

import pytest
import torch
from torch import nn

from nasablate.blueprint import lower
from nasablate.genome import Genome
from nasablate.nets import build
from nasablate.training.inspection import excitations, front_of


def batches(images, size):
    return [(part, torch.zeros(len(part))) for part in images.split(size)]


def noise(count, *shape):
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(0))


def test_a_linear_network_gives_back_its_filter_where_it_was_excited():
    net = build(lower(Genome.parse({"stages": [{"units": 1}], "width": 4, "input": {
        "channels": 3, "height": 8, "width": 8}, "stem": {"kind": "conv3x3", "width": 4,
                                                          "post": []}})))  # fmt: skip
    front = front_of(net, "stem")
    [convolution] = [found for found in front.modules() if isinstance(found, nn.Conv2d)]
    images = noise(10, 3, 8, 8)
    maps = front(images).detach()
    for found in excitations(front, batches(images, 4), (2, 0), most=3):
        answers = maps[:, found.channel].flatten(1).amax(1)
        assert answers[found.image] == pytest.approx(found.activation, rel=1e-5)
        assert maps[found.image, found.channel, found.row, found.column] == answers[found.image]
        expected = torch.zeros(3, 10, 10)  # with the padding of one pixel
        filters = convolution.weight[found.channel].detach()
        expected[:, found.row : found.row + 3, found.column : found.column + 3] = filters
        torch.testing.assert_close(found.projection, expected[:, 1:-1, 1:-1])


def test_the_strongest_come_first_and_of_equal_ones_the_earlier():
    images = torch.tensor([1.0, 5.0, 3.0, 5.0]).reshape(4, 1, 1, 1)
    found = excitations(nn.Identity(), batches(images, 2), (0,), most=3)
    assert [(one.image, one.activation) for one in found] == [(1, 5.0), (3, 5.0), (2, 3.0)]


def test_at_relus_passes_what_is_positive_both_ways():
    first, second = nn.Conv2d(1, 3, 1, bias=False), nn.Conv2d(3, 1, 1, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([2.0, -1.0, 3.0]).reshape(3, 1, 1, 1))
        second.weight.copy_(torch.tensor([10.0, 100.0, -1.0]).reshape(1, 3, 1, 1))
    front = nn.Sequential(first, nn.ReLU(), second)
    image = torch.ones(1, 1, 1, 1)
    [found] = excitations(front, batches(image, 1), (0,), most=1)
    # The second path is shut on the way forth, the third on the way back: the plain gradient is 17.
    assert found.activation == pytest.approx(17.0)
    assert float(found.projection) == pytest.approx(20.0)
    image.requires_grad_()
    front(image).sum().backward()
    assert float(image.grad) == pytest.approx(17.0)


def test_units_without_a_map_have_no_front():
    net = build(lower(Genome.parse({"stages": [{"units": 1}], "width": 4})))
    assert front_of(net, "head") is None
    assert front_of(net, "stages.7.0") is None
