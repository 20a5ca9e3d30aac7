"""Biases that start at 1: of the layers that are numbered, and no others."""

import pytest
import torch
from torch import nn

from nasablate.blueprint import lower
from nasablate.errors import SpecError
from nasablate.genome import Genome, load_genome, load_recipe
from nasablate.nets import build
from nasablate.nets.biases import numbered_layers
from nasablate.training.network import make_net

CPU = torch.device("cpu")


def test_numbers_are_those_of_the_weight_layers() -> None:
    blueprint = lower(load_genome("resnet-50"))
    names = numbered_layers(blueprint)
    assert len(names) == 50
    assert not any("shortcut" in name for name in names)
    net = build(lower(load_genome("alexnet")))
    modules = [name for name, module in net.named_modules()
               if isinstance(module, nn.Conv2d | nn.Linear)]  # fmt: skip
    assert numbered_layers(net.blueprint) == modules


def test_biases_of_the_numbered_layers_start_at_the_value() -> None:
    document = load_genome("lenet-5").document()
    genome = Genome.parse(document)
    recipe = load_recipe({"recipe": "quick", "biases": {"value": 0.5, "layers": [2, 4]}})
    net, plain = make_net(genome, recipe, 0, CPU), make_net(genome, load_recipe("quick"), 0, CPU)
    changed = {f"{numbered_layers(lower(genome))[number]}.bias" for number in (1, 3)}
    for name, value in net.state_dict().items():
        expected = plain.state_dict()[name]
        if name in changed:
            assert not expected.any()
            expected = torch.full_like(expected, 0.5)
        assert torch.equal(value, expected), name


@pytest.mark.parametrize(
    ("name", "layer", "message"),
    [
        ("lenet-5", 6, "training.biases.layers = 6: the network has 5 convolutions"),
        ("resnet-20", 2, r"stages.0.0.conv1 has no bias; leave 2 out"),
    ],
)
def test_layers_that_are_not_there(name: str, layer: int, message: str) -> None:
    recipe = load_recipe({"recipe": "quick", "biases": {"layers": [layer]}})
    with pytest.raises(SpecError, match=message):
        make_net(load_genome(name), recipe, 0, CPU)


def test_alexnet_starts_as_its_paper_says() -> None:
    biases = load_recipe("alexnet-imagenet").biases
    assert biases is not None
    assert (biases.value, biases.layers) == (1.0, (2, 4, 5, 6, 7))
