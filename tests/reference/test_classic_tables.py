"""The tables that lectures print of AlexNet, VGG and GoogLeNet, and what papers say of their parts.

The tables are of AlexNet with 64 filters, an input of 227 and a padding of 2. In one of them the
parameters of its first linear layer read 37,725,832, a misprint of 37,752,832.
"""

from typing import Any

import pytest

from nasablate.blueprint import cost, describe, lower
from nasablate.blueprint.describe import Row
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits


def edited(preset: str, **edits: Any) -> Genome:
    document, ignored = apply_edits(Genome, load_genome(preset).document(), edits)
    assert not ignored
    return Genome.parse(document)


def test_the_table_of_alexnet() -> None:
    genome = edited("alexnet-64", **{"input.height": 227, "input.width": 227})
    rows = {row.name: row for row in describe(lower(genome)).layers}
    table = {
        "conv1": rows["stages.0.0.conv1"],
        "pool1": rows["stages.0.0.stage_pool"],
        "conv2": rows["stages.1.0.conv1"],
        "pool2": rows["stages.1.0.stage_pool"],
        "conv3": rows["stages.2.0.conv1"],
        "conv4": rows["stages.2.1.conv1"],
        "conv5": rows["stages.2.2.conv1"],
        "pool5": rows["stages.2.2.stage_pool"],
        "flatten": rows["head.flatten"],
        "fc6": rows["head.hidden1"],
        "fc7": rows["head.hidden2"],
        "fc8": rows["head.fc"],
    }
    # output, memory in KB, parameters in thousands, multiply-adds in millions
    assert {name: printed(row) for name, row in table.items()} == {
        "conv1": ((64, 56, 56), 784, 23, 73),
        "pool1": ((64, 27, 27), 182, 0, 0),
        "conv2": ((192, 27, 27), 547, 307, 224),
        "pool2": ((192, 13, 13), 127, 0, 0),
        "conv3": ((384, 13, 13), 254, 664, 112),
        "conv4": ((256, 13, 13), 169, 885, 150),
        "conv5": ((256, 13, 13), 169, 590, 100),
        "pool5": ((256, 6, 6), 36, 0, 0),
        "flatten": ((9216,), 36, 0, 0),
        "fc6": ((4096,), 16, 37753, 38),
        "fc7": ((4096,), 16, 16781, 17),
        "fc8": ((1000,), 4, 4097, 4),
    }
    assert (table["conv1"].params, table["conv1"].macs) == (23296, 72855552)
    assert table["fc6"].params == 37752832


def printed(row: Row) -> tuple[tuple[int, ...], int, int, int]:
    thousands, millions = row.params / 1e3, row.macs / 1e6
    return row.output, round(row.memory_kb), round(thousands), round(millions)


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
