"""Users' own branches: permission, contract, counts, initial weights, and a search over them."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.torch_counts import torch_counts
from nasablate.blueprint import Blueprint, cost, digest, lower
from nasablate.errors import GenomeError
from nasablate.genome import Genome
from nasablate.nets import build, initialize
from nasablate.nets.custom import allow_code

CODE = """
import torch
from torch import nn


class Depthwise(nn.Module):
    def __init__(self, inputs, outputs, stride, kernel=3):
        super().__init__()
        self.depth = nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs)
        self.norm = nn.BatchNorm2d(inputs)
        self.scale = nn.Parameter(torch.rand(inputs, 1, 1))
        self.point = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.point(self.norm(self.depth(x)).relu() * self.scale)


class Narrow(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()

    def forward(self, x):
        return x


class Broken(nn.Module):
    def __init__(self, inputs, outputs, stride):
        raise RuntimeError("no such luck")


class NotAModule:
    pass
"""


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with a module of its own name, since modules are imported once per process."""
    (tmp_path / f"{module_name(request.node.name)}.py").write_text(CODE)
    return tmp_path


def module_name(test: str) -> str:
    return "units_" + "".join(letter if letter.isalnum() else "_" for letter in test)


@pytest.fixture
def module(request: pytest.FixtureRequest) -> str:
    return module_name(request.node.name)


def genome_of(path: str, **changes: Any) -> Genome:
    unit = {"kind": "custom", "class": path, "arguments": changes.pop("arguments", {})}
    stages = [{"units": 1}, {"units": 2, "stride": 2}]
    stem = {"kind": "conv3x3", "width": 8}
    return Genome.parse({"stages": stages, "unit": unit, "stem": stem, "width": 8, **changes})


def lowered(folder: Path, genome: Genome) -> Blueprint:
    with allow_code(str(folder)):
        return lower(genome)


def test_nothing_is_imported_without_permission(folder: Path, module: str) -> None:
    sys.path.insert(0, str(folder))
    try:
        with pytest.raises(GenomeError, match=r"unit\.class = .*; add --allow-code"):
            lower(genome_of(f"{module}:Depthwise"))
    finally:
        sys.path.remove(str(folder))
    assert module not in sys.modules


def test_permission_ends_with_its_block(folder: Path, module: str) -> None:
    genome = genome_of(f"{module}:Depthwise")
    lowered(folder, genome)
    assert str(folder) not in sys.path
    with pytest.raises(GenomeError, match="--allow-code"):
        lower(genome)


def test_counts_are_those_of_torch(folder: Path, module: str) -> None:
    blueprint = lowered(folder, genome_of(f"{module}:Depthwise", arguments={"kernel": 5}))
    found, counted = cost(blueprint), torch_counts(blueprint)
    assert (found.params, found.macs) == (counted.params, counted.macs)
    # unit 1: 8 depthwise 5x5 with bias, a norm, a scale, 8 x 8; the frame adds no norm of its own
    custom = next(layer.op for layer in blueprint.layers if layer.name == "stages.0.0.custom")
    assert custom.params == 8 * 25 + 8 + 16 + 8 + 64
    assert custom.norm_params == 16
    assert custom.macs == (8 * 25 + 64) * 32 * 32
    assert custom.conv_activations == 2 * 8 * 32 * 32
    assert custom.activations == 3 * 8 * 32 * 32


def test_the_network_runs_and_keeps_slots_and_shortcuts(folder: Path, module: str) -> None:
    with allow_code(str(folder)):
        blueprint = lower(genome_of(f"{module}:Depthwise", placement="pyramid", se={}))
        net = build(blueprint)
    names = [layer.name for layer in blueprint.layers if layer.name.startswith("stages.1.0.")]
    assert names[:3] == ["stages.1.0.pre_bn", "stages.1.0.custom", "stages.1.0.post_bn"]
    assert names[-1] == "stages.1.0.add"
    assert net(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_weights_come_from_seed_and_name_alone(folder: Path, module: str) -> None:
    with allow_code(str(folder)):
        one, other = (build(lower(genome_of(f"{module}:Depthwise"))) for _ in range(2))
        initialize(one, "kaiming_fan_out", 3)
        torch.manual_seed(99)
        state = torch.get_rng_state()
        initialize(other, "kaiming_fan_out", 3)
        assert torch.equal(torch.get_rng_state(), state)
        values = other.state_dict()
        assert all(torch.equal(value, values[name]) for name, value in one.state_dict().items())
        initialize(other, "kaiming_fan_out", 4)
    name = "stages.0.0.custom.body.scale"
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])


def test_changed_code_is_another_network(folder: Path, module: str) -> None:
    genome = genome_of(f"{module}:Depthwise")
    before = digest(lowered(folder, genome))
    assert digest(lowered(folder, genome)) == before
    with (folder / f"{module}.py").open("a") as file:
        file.write("\n# a change\n")
    assert digest(lowered(folder, genome)) != before
    assert (
        digest(lowered(folder, genome_of(f"{module}:Depthwise", arguments={"kernel": 1}))) != before
    )


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Missing", "has no Missing; name one of its classes"),
        ("NotAModule", r"must be a subclass of torch\.nn\.Module"),
        ("Narrow", r"must return 16 x 16 x 16 for an input of 8 x 32 x 32, stride 2, not 8 x 32"),
        ("Broken", r"failed for an input of 8 x 32 x 32 \(RuntimeError: no such luck\)"),
    ],
)
def test_a_class_that_breaks_the_contract_is_named(
    folder: Path, module: str, name: str, rule: str
) -> None:
    stages = [{"units": 1, "stride": 2}]
    with pytest.raises(GenomeError, match=rule):
        lowered(folder, genome_of(f"{module}:{name}", stages=stages, width=16))


def test_a_module_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match=r"cannot be imported \(ModuleNotFoundError"):
        lowered(tmp_path, genome_of("no_such_module_anywhere:Unit"))


SEARCH = """
kind: search
name: custom-units
base:
  stages: [{units: 1}, {units: 1, stride: 2}]
  unit: {kind: custom, class: "my_units:Depthwise"}
axes:
  unit.arguments.kernel: {choice: [1, 3]}
  width: {choice: [4, 6]}
training: {recipe: quick, epochs: 1}
sampler: {name: random}
data: digits
trials: 2
"""


@pytest.mark.slow
def test_a_search_over_users_units(tmp_path: Path) -> None:
    def search(*options: str) -> "subprocess.CompletedProcess[str]":
        start = [sys.executable, "-c", "from nasablate.cli.main import main; main()"]
        return subprocess.run(
            [*start, "search", "space.yaml", "--runner", "inline", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    (tmp_path / "my_units.py").write_text(CODE)
    (tmp_path / "space.yaml").write_text(SEARCH)
    refused = search()
    assert refused.returncode == 2
    assert "--allow-code" in refused.stderr
    first = search("--allow-code")
    assert first.returncode == 0, first.stderr
    assert "2 trials: 2 complete" in first.stdout
    (tmp_path / "my_units.py").write_text(CODE.replace("relu()", "tanh()"))
    changed = search("--allow-code", "--trials", "4")
    assert changed.returncode == 2
    assert "the code of my_units:Depthwise has changed" in changed.stderr
    (tmp_path / "my_units.py").write_text(CODE)
    more = search("--allow-code", "--trials", "4")
    assert more.returncode == 0, more.stderr
    assert "4 trials: 4 complete" in more.stdout
