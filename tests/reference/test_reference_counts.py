"""Every network of the literature we can write down has the count its authors' code has."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from benchmarks.torch_counts import torch_counts
from nasablate.blueprint import Blueprint, cost, lower
from nasablate.genome import Genome, genome_presets, load_genome
from nasablate.genome.edits import apply_edits

ROWS: list[dict[str, Any]] = YAML(typ="safe").load(
    Path(__file__).with_name("params.yaml").read_text(encoding="utf-8")
)
BY_SIZE = sorted(ROWS, key=lambda row: row["params"])
FEW, MORE = BY_SIZE[::40], BY_SIZE[7::8]


def labels(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{ROWS.index(row) + 1}-{row['preset']}" for row in rows]


def blueprint_of(row: dict[str, Any]) -> Blueprint:
    document, ignored = apply_edits(
        Genome, load_genome(row["preset"]).document(), row.get("changes", {})
    )
    assert not ignored
    return lower(Genome.parse(document))


def test_no_row_is_lost() -> None:
    families = ("pyramidnet-1", "resnet-", "preactresnet-", "wrn-", "resnext29-")
    assert len(ROWS) >= 300
    assert all(sum(row["preset"].startswith(name) for row in ROWS) >= 12 for name in families)
    assert all(row["source"] for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=labels(ROWS))
def test_counts_without_torch(row: dict[str, Any]) -> None:
    found = cost(blueprint_of(row))
    assert found.params == row["params"]
    assert found.macs == row.get("macs", found.macs)
    assert found.norm_params == row.get("norm_params", found.norm_params)
    training = found.macs + found.auxiliary_macs
    assert training == row.get("training_macs", training)


@pytest.mark.parametrize("row", FEW, ids=labels(FEW))
def test_counts_of_the_built_network(row: dict[str, Any]) -> None:
    count_in_torch(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", MORE, ids=labels(MORE))
def test_counts_of_more_built_networks(row: dict[str, Any]) -> None:
    count_in_torch(row)


def count_in_torch(row: dict[str, Any]) -> None:
    blueprint = blueprint_of(row)
    counted = torch_counts(blueprint)
    assert counted.params == row["params"]
    assert counted.macs == row.get("macs", cost(blueprint).macs)
    assert counted.shapes == tuple(layer.shape for layer in blueprint.layers)
    assert counted.logits == blueprint.shape_at(blueprint.outputs[0])


@pytest.mark.parametrize("name", genome_presets())
def test_every_preset_is_a_network_with_a_source(name: str) -> None:
    genome = load_genome(name)
    assert genome.name == name
    assert len(genome.source) > 20
    assert cost(lower(genome)).params > 0
