"""Reported numbers: every row is valid, read somewhere, and as the source prints it."""

import csv
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from nasablate.errors import SpecError
from nasablate.genome import genome_presets
from nasablate.genome.reported import Reported, reported_numbers, reported_of

ROWS = reported_numbers()
DATASETS = {"imagenet1k_val": {"imagenet"}, "cifar10/cifar100": {"cifar10", "cifar100"},
            "cifar10/cifar100/svhn": {"cifar10", "cifar100", "svhn"},
            "C10 / C10+ / C100 / C100+ / SVHN": {"cifar10", "cifar100", "svhn"}}  # fmt: skip
FAILED = "fail"
"""What arXiv 1603.05027 prints for errors above 20 %."""


def references() -> list[dict[str, str]]:
    """Numbers as they were noted when the sources were read, apart from our file."""
    path = Path(__file__).parents[1] / "reference" / "published.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


REFERENCES = references()


def is_in(reference: dict[str, str], row: Reported) -> bool:
    """Tell whether a noted number is the row's."""
    datasets = DATASETS.get(reference["dataset"], {reference["dataset"]})
    if row.dataset not in datasets or row.label not in reference["config"]:
        return False
    if row.top1_above is not None:
        return reference["value"] == FAILED if row.top1_above == 20 else row.top1_above == 60
    kind, value = reference["metric"], float(reference["value"].replace(FAILED, "nan"))
    if kind == "top5_error":
        return value == row.top5 and row.metric == "error"
    if kind != f"top1_{row.metric}" or value != row.top1:
        return False
    return row.top5 is None or not reference["top5"] or float(reference["top5"]) == row.top5


def name_of(row: Reported) -> str:
    return f"{row.genome}-{row.dataset}-{row.numbers}-{row.source}"


def test_no_row_is_lost():
    assert len(ROWS) >= 300
    assert len({row.genome for row in ROWS} & set(genome_presets())) >= 110
    datasets = Counter(row.dataset for row in ROWS)
    assert min(datasets[name] for name in ("cifar10", "cifar100", "imagenet")) >= 40


def test_the_file_is_data_of_the_package():
    assert files("nasablate.genome").joinpath("reported.yaml").is_file()


def test_no_number_stands_there_twice():
    counts = Counter(
        (row.genome, row.dataset, row.numbers, row.source, row.label, row.crop) for row in ROWS
    )
    assert [key for key, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_number_was_read_in_a_source(row):
    assert row.status in {"read", "computed"}
    assert row.source
    assert row.label
    assert any(is_in(reference, row) for reference in REFERENCES)


def test_the_notes_hold_only_numbers_that_were_read():
    assert {reference["verified"] for reference in REFERENCES} <= {"read", "computed"}


@pytest.mark.parametrize("status", ["memory", "not_retrieved", ""])
def test_numbers_from_memory_are_refused(status):
    row = {"genome": "resnet-20", "dataset": "cifar10", "top1": 8.75, "label": "x", "source": "y"}
    assert Reported.parse({**row, "status": "read"}).error_percent == 8.75
    with pytest.raises(SpecError, match="status"):
        Reported.parse({**row, "status": status})
    with pytest.raises(SpecError, match="top1"):
        Reported.parse({**row, "status": "read", "top1": None})
    with pytest.raises(SpecError, match="top1"):
        Reported.parse({**row, "status": "read", "top1": 101.0})


def test_every_network_is_a_preset():
    assert {row.genome for row in ROWS} <= set(genome_presets())


@pytest.mark.parametrize(
    ("genome", "dataset", "error"),
    [
        ("resnet-20", "cifar10", 8.75),
        ("resnet-110", "cifar10", 6.61),
        ("resnet-110", "cifar10", 6.43),
        ("preactresnet-110", "cifar10", 6.37),
        ("preactresnet-164", "cifar100", 24.33),
        ("pyramidnet-110-a48", "cifar100", 23.31),
        ("pyramidnet-272-a200", "cifar10", 3.31),
        ("wrn-28-10", "cifar10", 4.0),
        ("resnext29-16x64d", "cifar100", 17.31),
        ("resnet-34-a", "imagenet", 25.03),
        ("resnet-34-c", "imagenet", 24.19),
        ("resnet-50", "imagenet", 23.85),
        ("senet-154", "imagenet", 18.68),
        ("resnest-269", "imagenet", 15.46),
        ("rexnet-1.0", "imagenet", 22.1),
        ("res2net-50-26w4s", "imagenet", 22.01),
        ("resnet-110-shortcut-only-gating", "cifar10", 6.91),
    ],
)
def test_well_known_numbers_stand_at_their_networks(genome, dataset, error):
    found = [row.error_percent for row in reported_of(genome) if row.dataset == dataset]
    assert error in found


def test_the_first_number_is_a_typical_one_of_exactly_this_network():
    assert reported_of("resnet-110")[0].statistic == "median"
    assert [row.statistic for row in reported_of("resnet-110")].count("best") == 1
    first, *_, last = reported_of("resnet-50")
    assert (first.differs, bool(last.differs)) == ("", True)
    assert reported_of("resnet-50-caffe")[0].by == "authors"
    assert reported_of("no-such-network") == ()


def test_accuracies_become_errors():
    row = next(row for row in reported_of("resnest-50") if row.metric == "accuracy")
    assert (row.top1, row.error_percent) == (81.03, 18.97)
    rexnet = reported_of("rexnet-1.0")[0]
    assert (rexnet.error_percent, rexnet.top5_error_percent) == (22.1, 6.1)


def test_the_protocol_is_said_as_far_as_it_is_known():
    assert "1 crop of 224" in reported_of("resnet-50")[0].how
    assert reported_of("resnest-200")[0].how == "crop of 320"
    ten, dense, *_ = reported_of("resnet-34")
    assert (ten.how, ten.is_one_crop, dense.is_one_crop) == ("10 crops", False, False)
    assert "median of 5 runs +- 0.14" in reported_of("preactresnet-1001")[0].how
    failed = reported_of("resnet-110-shortcut-dropout")[0]
    assert (failed.numbers, failed.error_percent) == ("top-1 above 20 %", None)


@pytest.mark.parametrize("name", sorted({row.genome for row in ROWS} | {"no-such-preset"}))
def test_the_rows_of_a_preset_are_those_of_the_whole_file(name: str) -> None:
    assert sorted(map(repr, reported_of(name))) == sorted(
        repr(row) for row in ROWS if row.genome == name
    )
