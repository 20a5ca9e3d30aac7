"""The numbers in the findings of the deletion study are those of its committed records."""

import csv
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from nasablate.analysis.deletion import (
    Summary,
    Values,
    contrast,
    crossed_interval,
    image_rises,
    mean_over,
    minus,
    summarize,
)
from nasablate.genome import load_deletion
from nasablate.report.deletion_tables import length_ranges
from nasablate.search.deletion_path_results import path_results
from nasablate.search.deletion_paths import paths_attribute
from nasablate.search.deletion_records import DeletionRow, read_deletion_records

FOLDER = Path(__file__).resolve().parents[1] / "studies" / "deletion-resnet-pyramidnet"
NAMES = {"preresnet": "ResNet", "pyramidnet": "PyramidNet", "plain": "plain"}
DOWN = ("stages.1.0", "stages.2.0")
"""Units of all three networks that downsample."""


@cache
def findings() -> str:
    return (FOLDER / "FINDINGS.md").read_text(encoding="utf-8")


@cache
def rows(file: str = "records.csv") -> tuple[dict[str, str], ...]:
    csv.field_size_limit(2**30)
    with (FOLDER / file).open(encoding="utf-8", newline="") as source:
        return tuple(csv.DictReader(source))


def errors(network: str, file: str = "records.csv", **wanted: str) -> dict[str, dict[int, float]]:
    """Return errors by name of the deletion and replicate."""
    found: dict[str, dict[int, float]] = {}
    for row in rows(file):
        if row["network"] == network and all(row[key] == value for key, value in wanted.items()):
            found.setdefault(row["name"], {})[int(row["replicate"])] = float(row["error"])
    return found


def intact(network: str, file: str = "records.csv") -> Values:
    return errors(network, file, kind="intact")["intact"]


def rises(network: str, file: str = "records.csv", **wanted: str) -> dict[str, Values]:
    whole = intact(network, file)
    return {name: minus(own, whole) for name, own in errors(network, file, **wanted).items()}


def part(network: str, which: str) -> Values:
    """Return the mean rise by replicate over all units, downsampling ones or others."""
    single = rises(network, kind="single")
    if which == "gap":
        return minus(part(network, "down"), part(network, "others"))
    chosen = [
        own for name, own in single.items() if which == "all" or (name in DOWN) == (which == "down")
    ]
    return mean_over(chosen)


def told(found: Summary, words: str = "") -> str:
    assert found.mean is not None
    assert found.interval is not None
    return f"{found.mean:+.2f}{words} ({found.interval.low:.2f} to {found.interval.high:.2f})"


def in_row(start: str, *cells: str) -> None:
    """Check that a row of a table begins and holds these cells in order."""
    lines = [line for line in findings().splitlines() if line.startswith(f"| {start} |")]
    assert any(
        [cell.strip() for cell in line.split("|")][2 : 2 + len(cells)] == list(cells)
        for line in lines
    ), (cells, lines)


@pytest.mark.parametrize("network", NAMES)
def test_errors_and_rises(network: str) -> None:
    whole = fmean(intact(network).values())
    every = told(summarize(part(network, "all")))
    if network == "plain":
        in_row(NAMES[network], f"{whole:.2f}", every, "cannot be deleted", every)
        return
    cells = [told(summarize(part(network, which))) for which in ("all", "down", "others", "gap")]
    in_row(NAMES[network], f"{whole:.2f}", *cells)


def test_the_vgg_like_network() -> None:
    file = "records-vgg.csv"
    spec = load_deletion(FOLDER / "vgg.yaml")
    assert sorted(intact("vgg", file)) == list(range(spec.seeds)) == list(range(4))
    single = rises("vgg", file, kind="single")
    assert len(single) == 6
    every = told(summarize(mean_over(list(single.values()))))
    whole = fmean(intact("vgg", file).values())
    in_row("VGG-like, 4 trainings", f"{whole:.2f}", every, "cannot be deleted", every)


def test_the_ensemble() -> None:
    document = json.loads((FOLDER / "ensemble-vgg.json").read_text(encoding="utf-8"))
    (found,) = document["ensembles"]
    own, text = found["analysis"], " ".join(findings().split())
    assert own["images"] == 10_000
    assert own["mean_member"]["error"] == pytest.approx(
        fmean(intact("vgg", "records-vgg.csv").values())
    )
    for size in own["sizes"]:
        ends = f"{size['interval']['low']:.2f} to {size['interval']['high']:.2f}"
        each = (size["error"], size["least"], size["most"])
        error, least, most = (f"{value:.2f}" for value in each)
        in_row(str(size["members"]), str(size["subsets"]), error, ends, least, most)
    gain = own["gain_interval"]
    assert f"gains {own['gain']:.2f} points" in text
    assert f"({gain['low']:.2f} to {gain['high']:.2f})" in text
    assert f"on {own['disagreement']:.2f} % of the images" in text
    before, after = own["mean_member"], own["ensemble"]
    assert f"from {before['cross_entropy']:.3f} to {after['cross_entropy']:.3f}" in text
    errors_before, errors_after = before["calibration_error"], after["calibration_error"]
    assert f"from {errors_before:.2f} to {errors_after:.2f} %" in text
    names = dict(enumerate(document["class_names"]))
    by_gain = sorted(own["classes"], key=lambda one: one["gain"])
    least, most = by_gain[0], by_gain[-1]
    assert (
        f"from {least['gain']:+.2f} ({names[least['label']]}) to {most['gain']:+.2f} points"
        f" ({names[most['label']]})" in text
    )


def test_verdicts() -> None:
    spec = load_deletion(FOLDER / "reduced.yaml")
    others = [name for name in NAMES if name != "preresnet"]
    for which, asked, title in (
        ("all", others, "mean rise"),
        ("gap", ["pyramidnet"], "downsampling minus others"),
    ):
        judged = contrast(
            ("preresnet", part("preresnet", which)),
            {name: part(name, which) for name in asked},
            seeds=spec.seeds,
            margin=spec.margin if which == "all" else None,
            crossed={},
        )
        for found in judged:
            own = found.judgement
            assert own.difference is not None
            assert own.interval is not None
            in_row(
                f"{NAMES[found.network]}, {title}",
                f"{own.difference:+.2f}",
                f"{own.interval.low:+.2f} to {own.interval.high:+.2f}",
                crossed(found.network, which),
                f"{own.p:.4f}",
                f"{own.holm_p:.4f}",
                own.verdict,
            )


@cache
def records() -> Mapping[str, DeletionRow]:
    return read_deletion_records(FOLDER / "records.csv").evaluations


def crossed(network: str, which: str) -> str:
    """Return the interval over seeds and images."""
    kept = records()
    found = {}
    for name in ("preresnet", network):
        found[name] = {}
        for replicate in intact(name):
            bits = {
                row["name"]: np.unpackbits(
                    np.frombuffer(kept[row["evaluation_key"]].predictions.correct, np.uint8),
                    count=10_000,
                ).astype(bool)
                for row in rows()
                if row["network"] == name
                and int(row["replicate"]) == replicate
                and row["kind"] in {"intact", "single"}
            }
            whole = bits.pop("intact")
            down = image_rises(whole, [bits[u] for u in bits if u in DOWN] or [whole])
            rest = image_rises(whole, [bits[u] for u in bits if u not in DOWN])
            every = image_rises(whole, list(bits.values()))
            found[name][replicate] = every if which == "all" else down - rest
    ends = crossed_interval(found["preresnet"], found[network])
    assert ends is not None
    return f"{ends.low:+.2f} to {ends.high:+.2f}"


def test_what_else_is_told() -> None:
    worst = [max(fmean(own.values()) for own in rises(name, kind="single").values())
             for name in ("preresnet", "pyramidnet")]  # fmt: skip
    assert "(+{:.2f} and +{:.2f})".format(*worst) in findings()
    for name, words in (("preresnet", " points"), ("pyramidnet", "")):
        halved = summarize(mean_over(list(rises(name, kind="scaling").values())))
        assert told(halved, words) in findings()
    for swaps in ("1", "2", "4"):
        orders = list(rises("preresnet", kind="reordering", swaps=swaps).values())
        assert f"{fmean(mean_over(orders).values()):+.2f}" in findings()
    for name in ("preresnet", "pyramidnet"):
        measured = [json.loads(row["paths"]) for row in rows()
                    if row["network"] == name and row["paths"]]  # fmt: skip
        kept = {paths_attribute(name, own["replicate"]): own for own in measured}
        effective = path_results(name, kept)[1]
        assert effective is not None
        assert f"paths of {length_ranges(effective.lengths)} of the nine branches" in findings()
        assert f"{100 * effective.share_of_paths:.1f} % of all paths" in " ".join(
            findings().split()
        )


def test_the_records_are_what_the_file_asks() -> None:
    spec = load_deletion(FOLDER / "reduced.yaml")
    assert {row["network"] for row in rows()} == set(spec.networks)
    assert spec.reorder is not None
    for network in spec.networks:
        assert set(intact(network)) == set(range(spec.seeds))
    drawn = rises("preresnet", kind="reordering")
    assert len(drawn) == len(spec.reorder.swaps) * spec.reorder.repeats
