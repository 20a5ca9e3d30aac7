"""The deletion studies that come with the project: each loads, and its networks are of one size."""

from pathlib import Path

import pytest

from nasablate.analysis.paired import seeds_needed
from nasablate.blueprint import Blueprint, cost, lower
from nasablate.genome import DeletionSpec, Genome, load_deletion
from nasablate.genome.deletion import TrainedHere
from nasablate.genome.edits import apply_edits
from nasablate.training.deletion.candidates import deletable

FOLDER = Path(__file__).resolve().parents[1] / "studies" / "deletion-resnet-pyramidnet"
SIZES = ("paper", "reduced", "smoke")
FILES = (*SIZES, "vgg")


def spec_of(size: str) -> DeletionSpec:
    return load_deletion(FOLDER / f"{size}.yaml")


def params_of(spec: DeletionSpec) -> dict[str, int]:
    return {name: cost(own).params for name, own in blueprints_of(spec).items()}


def blueprints_of(spec: DeletionSpec) -> dict[str, Blueprint]:
    found: dict[str, Blueprint] = {}
    for name, network in spec.networks.items():
        assert isinstance(network, TrainedHere)
        assert isinstance(network.base, dict)
        document, ignored = apply_edits(Genome, dict(network.base), network.edits)
        assert not ignored
        found[name] = lower(Genome.parse(document))
    return found


@pytest.mark.parametrize("size", FILES)
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
    assert max(params.values()) <= 1.04 * min(params.values())
    assert abs(params["preresnet"] - params["pyramidnet"]) <= 0.001 * params["preresnet"]
    text = (FOLDER / f"{size}.yaml").read_text()
    for own in set(params.values()):
        assert f"{own:,}" in text
    assert spec.evaluate == "test"
    assert spec.seeds >= seeds_needed(len(spec.networks) - 1)


@pytest.mark.parametrize("size", SIZES)
def test_networks_without_shortcuts_stand_beside_the_residual_ones(size: str) -> None:
    """Deleting one of their units must break them, or the study shows nothing."""
    blueprints = blueprints_of(spec_of(size))
    if size == "reduced":  # to stay within the hour
        blueprints |= blueprints_of(spec_of("vgg"))
    ways = {
        name: {unit.way for unit in deletable(own) if unit.stage >= 0}
        for name, own in blueprints.items()
    }
    assert ways["preresnet"] == ways["pyramidnet"] == {"shortcut"}
    assert ways["plain"] == ways["vgg"] == {"identity", "none"}
    assert {part.fragment.kind for part in blueprints["vgg"].parts[1:-1]} == {"conv"}


def test_the_file_of_the_vgg_is_the_reduced_study_with_another_network() -> None:
    reduced, vgg = spec_of("reduced"), spec_of("vgg")
    for key in ("training", "data", "evaluate", "images", "seed"):
        assert getattr(vgg, key) == getattr(reduced, key)
    sizes = [*params_of(reduced).values(), *params_of(vgg).values()]
    assert max(sizes) <= 1.01 * min(sizes)


def test_the_reduced_study_says_its_size() -> None:
    spec = spec_of("reduced")
    text = " ".join((FOLDER / "reduced.yaml").read_text().replace("#", "").split())
    assert spec.data.subset is not None
    assert f"{round(spec.data.subset * 0.9):,} training images" in text
    assert f"{spec.training['epochs']} epochs" in text
