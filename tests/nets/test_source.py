"""The source of one network: what it computes, what it needs, what a name cannot do to it."""

import ast
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nasablate.blueprint import lower
from nasablate.errors import GenomeError
from nasablate.genome import Genome, load_genome
from nasablate.nets.network_file import save_network
from nasablate.nets.source import source
from tests.nets.small_networks import FAMILIES, images, random_net, small


def run(text: str) -> ModuleType:
    module = ModuleType("exported")
    exec(compile(text, "exported.py", "exec"), module.__dict__)
    return module


def logits(net: torch.nn.Module, batch: torch.Tensor, *, train: bool) -> torch.Tensor:
    torch.manual_seed(3)  # dropout and stochastic depth draw the same
    with torch.no_grad():
        return net.train(train)(batch)


@pytest.mark.parametrize("preset", FAMILIES)
def test_the_source_computes_the_same(preset: str, tmp_path: Path) -> None:
    genome = small(preset)
    ours = random_net(genome)
    save_network(tmp_path / "net.safetensors", genome, ours.state_dict())
    module = run(source(lower(genome), preset))
    theirs = module.load(str(tmp_path / "net.safetensors"))
    assert not theirs.training
    batch = images(ours)
    assert torch.equal(logits(theirs, batch, train=False), logits(ours, batch, train=False))
    assert torch.equal(logits(theirs, batch, train=True), logits(ours, batch, train=True))
    state = ours.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in theirs.state_dict().items())


def test_auxiliary_classifiers_are_there_for_training() -> None:
    ours = random_net(small("googlenet-torchvision"))
    theirs = run(source(ours.blueprint)).Net()
    theirs.load_state_dict(ours.state_dict())
    found, wanted = theirs.eval().all_logits(images(ours)), ours.all_logits(images(ours))
    assert len(found) == len(wanted) == 3
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


@pytest.mark.parametrize("preset", FAMILIES)
def test_the_source_needs_torch_alone(preset: str) -> None:
    text = source(lower(small(preset)), preset)
    found = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert found <= {"torch", "safetensors", "typing"}
    assert max(map(len, text.splitlines())) <= 110


def test_equal_units_are_written_once() -> None:
    text = source(lower(load_genome("resnet-110")))
    assert text.count("class ") == 6  # PadChannels, stem, two kinds of unit, head, the network
    assert "for _ in range(18)" in text
    assert len(text.splitlines()) < 160


@pytest.mark.parametrize(
    "name",
    [
        '"""\nimport sys\nsys.modules["broken"] = sys\n"""',
        "x\\",
        "{after}",
        "\n\n\r",
        '"',
        "é\x1b[2J",
    ],
)
def test_a_name_stays_text(name: str) -> None:
    genome = Genome.parse({**load_genome("lenet-5").document(), "name": name})
    module = run(source(lower(genome), genome.name))
    assert isinstance(module.Net(), torch.nn.Module)
    assert "broken" not in sys.modules


def test_a_unit_of_the_users_own_is_not_copied() -> None:
    from dataclasses import replace

    from nasablate.blueprint import ops

    blueprint = lower(load_genome("lenet-5"))
    part = blueprint.parts[1]
    layer = part.fragment.layers[0]
    own = ops.Custom("mine:Unit", "", "{}", 1, 6, 1, layer.shape, 0, 0, 0, 0, 0)
    layers = (replace(layer, op=own), *part.fragment.layers[1:])
    changed = replace(part, fragment=replace(part.fragment, layers=layers))
    parts = (blueprint.parts[0], changed, *blueprint.parts[2:])
    with pytest.raises(GenomeError, match=r"mine:Unit.*export safetensors, pt2 or onnx"):
        source(replace(blueprint, parts=parts))
