"""Random genomes of the whole space: our counts are torch's, and every network can learn."""

import random

import pytest
import torch
from torch.nn import functional

from benchmarks.random_genomes import Network, legal_networks, random_genome
from benchmarks.torch_counts import torch_counts
from nasablate.blueprint import cost
from nasablate.genome import Genome
from nasablate.nets import build, initialize

CHUNKS, CHUNK = 4, 10


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_counts_and_shapes_are_those_of_torch(chunk: int) -> None:
    for network in legal_networks(seed=1000 + chunk, count=CHUNK):
        blueprint, text = network.blueprint, network.genome.canonical_json()
        ours, torchs = cost(blueprint), torch_counts(blueprint)
        assert (ours.params, ours.macs) == (torchs.params, torchs.macs), text
        assert tuple(layer.shape for layer in blueprint.layers) == torchs.shapes, text
        assert torchs.logits == (network.genome.classes,), text
        assert ours.activations == sum(shape.numel() for shape in map(torch.Size, torchs.shapes))


def train_one_step(network: Network) -> None:
    net = build(network.blueprint).train()
    initialize(net, "kaiming_fan_out", 0)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, *network.blueprint.input, generator=generator)
    labels = torch.randint(network.genome.classes, (4,), generator=generator)
    torch.manual_seed(0)
    losses = [functional.cross_entropy(logits, labels) for logits in net.all_logits(images)]
    loss = torch.stack(losses).sum()
    loss.backward()
    text = network.genome.canonical_json()
    assert loss.isfinite(), text
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, f"{name} is not used: {text}"
        assert parameter.grad.isfinite().all(), f"{name}: {text}"
    torch.optim.SGD(net.parameters(), lr=0.01).step()
    assert net.eval()(images).shape == (4, network.genome.classes)


def test_a_few_networks_train_a_step() -> None:
    for network in legal_networks(seed=7, count=5):
        train_one_step(network)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(4))
def test_many_networks_train_a_step(chunk: int) -> None:
    for network in legal_networks(seed=2000 + chunk, count=50):
        train_one_step(network)


def test_the_generator_varies_every_field() -> None:
    """A field added to the genome must be added to the random genomes too."""
    rng = random.Random(0)
    seen: dict[str, set[str]] = {}
    for _ in range(400):
        for path, value in leaves(random_genome(rng).document()):
            seen.setdefault(path, set()).add(repr(value))
    fixed = {path for path, values in seen.items() if len(values) == 1 and values != {"None"}}
    labels = {"kind", "schema_version", "name", "source"}
    assert fixed == labels
    assert {path.split(".")[0] for path in seen} == set(Genome.model_fields)


def leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    match value:
        case dict():
            parts = [(f"{path}.{key}".removeprefix("."), part) for key, part in value.items()]
        case list() if path == "stages":
            parts = [(path, part) for part in value]
        case _:
            return [(path, value)]
    return [leaf for name, part in parts for leaf in leaves(part, name)]
