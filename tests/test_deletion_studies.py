"""The deletion studies that come with the project: each loads, and its networks are of one size."""

import re
from pathlib import Path

import pytest

from nasablate.blueprint import cost, lower
from nasablate.genome import DeletionSpec, Genome, load_deletion
from nasablate.genome.deletion import TrainedHere
from nasablate.genome.edits import apply_edits

FOLDER = Path(__file__).resolve().parents[1] / "studies" / "deletion-resnet-pyramidnet"
SIZES = ("paper", "reduced", "smoke")


def spec_of(size: str) -> DeletionSpec:
    return load_deletion(FOLDER / f"{size}.yaml")


def params_of(spec: DeletionSpec) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, network in spec.networks.items():
        assert isinstance(network, TrainedHere)
        assert isinstance(network.base, dict)
        document, ignored = apply_edits(Genome, dict(network.base), network.edits)
        assert not ignored
        found[name] = cost(lower(Genome.parse(document))).params
    return found


@pytest.mark.parametrize("size", SIZES)
def test_a_study_says_what_it_asks_whence_and_how_it_is_run(size: str) -> None:
    text = (FOLDER / f"{size}.yaml").read_text()
    spec = spec_of(size)
    assert "arXiv 1605.06431" in text
    assert f"nasablate delete-units studies/deletion-resnet-pyramidnet/{size}.yaml" in text
    assert spec.name == f"deletion-resnet-pyramidnet-{size}"
    assert spec.question.endswith("?")


@pytest.mark.parametrize("size", ["paper", "reduced"])
def test_networks_have_equal_parameters_and_seeds_enough_for_a_verdict(size: str) -> None:
    spec = spec_of(size)
    params = params_of(spec)
    assert max(params.values()) <= 1.01 * min(params.values())
    text = (FOLDER / f"{size}.yaml").read_text()
    assert re.search(f"{params['preresnet']:,}", text)
    assert re.search(f"{params['pyramidnet']:,}", text)
    assert spec.evaluate == "test"
    assert spec.seeds >= {2: 6, 3: 7}[len(spec.networks)]


def test_the_reduced_study_says_its_size() -> None:
    spec = spec_of("reduced")
    text = " ".join((FOLDER / "reduced.yaml").read_text().replace("#", "").split())
    assert spec.data.subset is not None
    assert f"{round(spec.data.subset * 0.9):,} training images" in text
    assert f"{spec.training['epochs']} epochs" in text
