"""The tables that lectures print of AlexNet, VGG and GoogLeNet, and what papers say of their parts.

The tables are of AlexNet with 64 filters, an input of 227 and a padding of 2. In one of them the
parameters of its first linear layer read 37,725,832, a misprint of 37,752,832.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from nasablate.blueprint import cost, describe, lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from tests.badinput.command import run_here


def edited(preset: str, **edits: Any) -> Genome:
    document, ignored = apply_edits(Genome, load_genome(preset).document(), edits)
    assert not ignored
    return Genome.parse(document)


# output, memory in KB, parameters in thousands, multiply-adds in millions
ALEXNET = {
    "conv1": ("64 x 56 x 56", "784", "23", "73"),
    "pool1": ("64 x 27 x 27", "182", "0", "0"),
    "conv2": ("192 x 27 x 27", "547", "307", "224"),
    "pool2": ("192 x 13 x 13", "127", "0", "0"),
    "conv3": ("384 x 13 x 13", "254", "664", "112"),
    "conv4": ("256 x 13 x 13", "169", "885", "150"),
    "conv5": ("256 x 13 x 13", "169", "590", "100"),
    "pool5": ("256 x 6 x 6", "36", "0", "0"),
    "flatten": ("9216", "36", "0", "0"),
    "fc6": ("4096", "16", "37,753", "38"),
    "fc7": ("4096", "16", "16,781", "17"),
    "fc8": ("1000", "4", "4,097", "4"),
}


def test_the_table_of_alexnet() -> None:
    size = ("--set", "input.height=227", "--set", "input.width=227")
    answer = run_here("describe", "alexnet-64", *size, "--lecture", "--json")
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)
    numbers = ("output", "memory_kb", "params_k", "macs_m")
    assert {row["layer"]: tuple(row[key] for key in numbers) for row in rows} == ALEXNET
    lines = run_here("describe", "alexnet-64", *size, "--lecture").out.splitlines()
    assert len(lines) == 1 + len(ALEXNET)
    for line, (layer, cells) in zip(lines[1:], ALEXNET.items(), strict=True):
        assert line.split()[0] == layer
        assert tuple(line.split()[-3:]) == cells[1:]


def test_what_the_table_rounds() -> None:
    genome = edited("alexnet-64", **{"input.height": 227, "input.width": 227})
    rows = {row.name: row for row in describe(lower(genome)).layers}
    first = rows["stages.0.0.conv1"]
    assert (first.params, first.macs) == (23296, 72855552)
    assert rows["head.hidden1"].params == 37752832


TABLES = Path(__file__).resolve().parents[2] / "docs" / "tables"


@pytest.mark.parametrize("file", sorted(TABLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_genome_of_the_tables_is_shown_by_a_command(file: Path) -> None:
    assert load_genome(file).name == file.stem
    assert f"docs/tables/{file.name}" in TABLES.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("stem", "preset"), [("vgg", "vgg-16"), ("googlenet", "googlenet")])
def test_a_stem_is_the_beginning_of_its_preset(stem: str, preset: str) -> None:
    own = describe(lower(load_genome(TABLES / f"stem-{stem}.yaml"))).units[:-1]
    assert own == describe(lower(load_genome(preset))).units[: len(own)]
    assert own[-1].output[1:] == (28, 28)


def test_units_of_googlenet() -> None:
    units = {row.name: row.params for row in describe(lower(load_genome("googlenet"))).units}
    names = [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (4, 0), (4, 1)]
    assert [units[f"stages.{stage}.{unit}"] for stage, unit in names] == [
        163696, 388736, 376176, 449160, 510104, 605376, 868352, 1043456, 1444080,
    ]  # fmt: skip


def one_unit(unit: dict[str, Any]) -> tuple[int, int]:
    """Parameters and multiply-adds of a unit of 64 channels on a map of 17x17, without biases."""
    genome = Genome.parse(
        {
            "input": {"channels": 64, "height": 17, "width": 17},
            "stem": {"kind": "none"},
            "stages": [{"units": 1}],
            "width": 64,
            "unit": unit,
            "shortcut": {"kind": "none"},
        }
    )
    first = next(part for part in lower(genome).parts if part.stage == 0)
    found = first.fragment.cost
    return found.params - found.norm_params, found.macs


@pytest.mark.parametrize(
    ("kernel", "form", "share"),
    [
        (5, "stacked", 18 / 25),  # 28 % cheaper
        (7, "stacked", 27 / 49),
        (3, "row_column", 6 / 9),  # 33 % cheaper
        (3, "column_row", 6 / 9),
        (7, "row_column", 14 / 49),
        (7, "parallel", 7 / 49),
    ],
)
def test_what_factorising_saves(kernel: int, form: str, share: float) -> None:
    whole = one_unit({"kind": "conv", "kernel": kernel})
    found = one_unit({"kind": "conv", "kernel": kernel, "form": form})
    assert found == tuple(round(count * share) for count in whole)


def test_inference_leaves_auxiliary_classifiers_out() -> None:
    with_them, without = (
        cost(lower(load_genome(name))) for name in ("googlenet", "googlenet-no-aux")
    )
    assert with_them.params - with_them.auxiliary_params == without.params
    assert (with_them.macs, with_them.activations) == (without.macs, without.activations)
