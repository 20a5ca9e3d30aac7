"""Every count of the reference file is asserted here or listed as not expressible.

The file lies beside the repository where it was made; elsewhere this is skipped.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from nasablate.blueprint.widths import unit_widths
from nasablate.genome import load_genome

HERE = Path(__file__).parent
REFERENCE = HERE.parents[2] / "shared" / "reference" / "params.yaml"
Count = tuple[int, int | None]
"""Parameters, and multiply-adds where they were counted."""

pytestmark = pytest.mark.skipif(
    not REFERENCE.exists(), reason="the reference file is not beside the repository"
)


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reference() -> Any:
    return load(REFERENCE)


@pytest.fixture(scope="module")
def counts(reference: Any) -> dict[str, Count]:
    return dict(_counts(reference))


def _counts(reference: Any) -> Iterator[tuple[str, Count]]:
    """Every count of a whole network, by a name made of the keys on the way to it."""
    for model in reference["models"]:
        if isinstance(model["params"], int):
            yield model["name"], (model["params"], model.get("conv_fc_macs"))
        else:
            yield from _leaves(model["name"], model["params"])
    for config, rows in reference["pyramidnet_variants"].items():
        for data in ("cifar10", "cifar100"):
            yield from _leaves(f"pyramidnet_variants/{config}/{data}", rows[data])
    for row in reference["pyramidnet_rounding_table"]["rows"]:
        rules = {rule: found["params"] for rule, found in row.items() if rule != "config"}
        yield from _leaves(f"pyramidnet_rounding_table/{row['config']}", rules)
    for row in reference["pyramidnet_multiplicative"]["rows"]:
        pair = {data: row[data] for data in ("cifar10", "cifar100")}
        yield from _leaves(f"pyramidnet_multiplicative/{row['alpha']}", pair)
    for config, row in reference["pyramidnet_caffe_imagenet"]["rows"].items():
        yield f"pyramidnet_caffe_imagenet/{config}", (row["conv_fc"] + row["bn_scale"], None)
    yield from _misc(reference["misc"])
    layers = reference["lenet5_original_1998"].items()
    yield from _leaves("lenet5_original_1998", {k: v for k, v in layers if isinstance(v, int)})


def _misc(misc: Any) -> Iterator[tuple[str, Count]]:
    both = {k: v for k, v in misc["pyramidnet110_bottleneck_a64"].items() if k != "note"}
    yield from _leaves("misc/pyramidnet110_bottleneck_a64", both)
    yield from _leaves("misc", {k: v for k, v in misc.items() if isinstance(v, int)})
    lua = misc["stochastic_depth_110_official_lua"]
    yield "misc/stochastic_depth_110_official_lua", (lua["value"], None)


def _leaves(name: str, tree: Any) -> Iterator[tuple[str, Count]]:
    for key, value in tree.items():
        if isinstance(value, int):
            yield f"{name}/{key}", (value, None)
        else:
            yield from _leaves(f"{name}/{key}", value)


def test_no_section_is_overlooked(reference: Any) -> None:
    legends = {"_meta", "pyramidnet_variants_legend"}
    sections = {"models", "lenet5_original_1998", "rexnet_channels", "misc"}
    pyramidnet = ("variants", "rounding_table", "multiplicative", "caffe_imagenet")
    assert set(reference) == legends | sections | {f"pyramidnet_{part}" for part in pyramidnet}


def test_every_count_is_asserted_or_not_expressible(counts: dict[str, Count]) -> None:
    asserted = {row["reference"] for row in load(HERE / "params.yaml") if "reference" in row}
    listed = [row["reference"] for row in load(HERE / "not_expressible.yaml")]
    assert asserted <= set(counts), sorted(asserted - set(counts))
    missing = [
        name
        for name in counts
        if name not in asserted and not any(_stands_for(entry, name) for entry in listed)
    ]
    assert not missing
    idle = [entry for entry in listed if not any(_stands_for(entry, name) for name in counts)]
    assert not idle
    both = [name for name in asserted if any(_stands_for(entry, name) for entry in listed)]
    assert not both


def _stands_for(entry: str, name: str) -> bool:
    return name.startswith(entry) if entry.endswith("/") else name == entry


def test_rows_have_the_reference_s_counts(counts: dict[str, Count]) -> None:
    for row in load(HERE / "params.yaml"):
        name = row.get("reference")
        if name is None:
            continue
        params, macs = counts[name]
        without_norm = name.endswith(("_without_bn", "_without_any_bn_params"))
        assert row["params"] - (row["norm_params"] if without_norm else 0) == params, name
        assert row.get("training_macs", row.get("macs")) == macs or macs is None, name


def test_widths_of_rexnet(reference: Any) -> None:
    for multiplier, widths in reference["rexnet_channels"].items():
        genome = load_genome(f"rexnet-{multiplier}")
        found = [width for stage in unit_widths(genome) for width in stage]
        assert found == widths["blocks"]
        assert genome.stem.width == widths["stem"]
        assert genome.head.penultimate == widths["penultimate"]
