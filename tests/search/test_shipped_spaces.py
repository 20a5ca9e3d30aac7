"""The search spaces that come with the project: each loads, says what it asks, and has cells."""

import random
from pathlib import Path

import pytest

from nasablate.data import DataInfo
from nasablate.errors import GenomeError
from nasablate.genome import load_search
from nasablate.search.space import Candidate, Space, load_space

FOLDER = Path(__file__).resolve().parents[2] / "search_spaces"
SPACES = sorted(FOLDER.glob("*.yaml"))
IMAGES = {
    "digits": (1, 8, 10),
    "cifar10": (3, 32, 10),
    "cifar10-jpeg": (3, 32, 10),
    "parquet:imagenet-1k": (3, 224, 1000),
}


def info_of(name: str) -> DataInfo:
    channels, size, classes = IMAGES[name]
    return DataInfo(
        name=name,
        num_train=800,
        num_val=100,
        num_test=100,
        channels=channels,
        height=size,
        width=size,
        classes=classes,
        class_names=(),
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
        fingerprint="none",
    )


def drawn(space: Space, count: int) -> list[Candidate]:
    rng = random.Random(0)
    found: list[Candidate] = []
    for _ in range(count):
        try:
            found.append(space.candidate(space.random(rng)))
        except GenomeError:
            continue
    return found


def test_every_space_named_in_the_readme_is_there() -> None:
    names = {path.stem for path in SPACES}
    assert names == {
        "cifar10_small",
        "half_million",
        "imagenet",
        "pyramidnet",
        "quickstart",
        "resnext_resnest",
        "se_res2net",
    }


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_space_says_what_it_asks_and_how_it_is_run(path: Path) -> None:
    comment = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert len(comment) >= 3
    assert f"nasablate search search_spaces/{path.name}" in "\n".join(comment)
    assert load_search(path).question.endswith("?")


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_space_has_enough_valid_cells_and_every_axis_acts(path: Path) -> None:
    spec = load_search(path)
    space = load_space(spec, info_of(spec.data.name))
    candidates = drawn(space, 300)
    valid = [candidate for candidate in candidates if not candidate.violations]
    assert len(candidates) > 200
    assert len({candidate.network_digest for candidate in valid}) >= 10
    for axis in space.axes:
        values = {candidate.assignment.get(axis.name) for candidate in candidates}
        assert len(values) > 1, axis.name
