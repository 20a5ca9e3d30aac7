"""Readers of ablation, deletion and dashboard files."""

import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from nasablate.genome import AblationSpec, DeletionSpec, load_ablation, load_deletion
from nasablate.genome.dashboard import DashboardSpec
from nasablate.genome.files import load_dashboard
from nasablate.genome.yaml_source import read_yaml
from nasablate.search.answerable import needed_seeds
from nasablate.search.arms import resolve_arms
from nasablate.search.confounds import arm_documents
from nasablate.search.deletion_cases import questions
from nasablate.search.deletion_networks import resolve_networks
from tests.fuzz.documents import documents
from tests.fuzz.mutations import mutate_document
from tests.fuzz.readers import INFO, ROOT, Reader, as_file


def study_readers() -> Iterator[Reader]:
    """Yield the readers."""
    yield Reader("ablation", _read_ablation, _damaged_ablation, documents(AblationSpec))
    yield Reader("deletion", _read_deletion, _damaged_deletion, documents(DeletionSpec))
    yield Reader("dashboard", _read_dashboard, _damaged_dashboard, documents(DashboardSpec))


@cache
def _ablations() -> tuple[dict[str, Any], ...]:
    written = [read_yaml(path).data for path in sorted((ROOT / "studies").glob("*.yaml"))]
    arms = {"wide": {"width": 16}, "slow": {"training.optimizer.lr": 0.01}}
    small = {**written[0], "design": "arms", "arms": arms, "match": {"params": "900%"}}
    small.pop("factors")
    path = {**written[0], "design": "path", "order": list(written[0]["factors"])}
    both = {**path, "direction": "both", "pilot": {"sd": 0.3, "correlation": 0.5}}
    protocol = {"training": {"epochs": 3, "optimizer": {"lr": 0.1}}, "data": "cifar10"}
    row = {"arm": "baseline", "value": 6.61, "n": 5, "std": 0.16, "source": "x"}
    fraction = {
        **written[0],
        "design": "fractional",
        "resolution": 4,
        "match": {"macs": "1%", "params": "3%"},
        "match_mode": "both",
        "reported": [{**row, "protocol": protocol}],
    }
    fraction["factors"] = {
        **fraction["factors"],
        "unit": {"basic": {}, "bottleneck": {"unit.kind": "bottleneck"}},
        "lr": {"high": {}, "low": {"training.optimizer.lr": 0.01}},
    }
    alone = {**written[0], "design": "one_at_a_time"}
    return (*written, alone, small, path, both, fraction)


def _damaged_ablation(rng: random.Random) -> Mapping[str, Any]:
    return mutate_document(rng, rng.choice(_ablations()))


def _read_ablation(document: Mapping[str, Any]) -> None:
    with as_file(document) as path:
        spec = load_ablation(path)
    arms = resolve_arms(spec, INFO)
    arm_documents(arms)
    needed_seeds(spec, arms)


@cache
def _deletions() -> tuple[dict[str, Any], ...]:
    folder = ROOT / "studies" / "deletion-resnet-pyramidnet"
    written = tuple(read_yaml(folder / f"{name}.yaml").data for name in ("smoke", "reduced"))
    networks = {
        "plain": "resnet-20",
        "edited": {"base": "preactresnet-110", "edits": {"stages.*.units": 3}},
        "before": {"trained": "other/3"},
        "inline": {"base": {"stages": [{"units": 2}], "width": 4}},
    }
    more = {
        "scale": {"factors": [0.25, 0.5]},
        "reorder": {"swaps": [1, 2], "repeats": 3},
        "paths": {"lengths": [0, 1, 3], "samples": 4},
        "images": {"random": 50},
    }
    return (*written, {**written[0], "networks": networks, **more}, {**written[0], **more})


def _damaged_deletion(rng: random.Random) -> Mapping[str, Any]:
    return mutate_document(rng, rng.choice(_deletions()))


def _read_deletion(document: Mapping[str, Any]) -> None:
    with as_file(document) as path:
        spec = load_deletion(path)
    for network in resolve_networks(spec, INFO, None):
        questions(spec, network.blueprint)


@cache
def _dashboards() -> tuple[dict[str, Any], ...]:
    return tuple(read_yaml(path).data for path in sorted((ROOT / "dashboards").glob("*.yaml")))


def _damaged_dashboard(rng: random.Random) -> Mapping[str, Any]:
    return mutate_document(rng, rng.choice(_dashboards()))


def _read_dashboard(document: Mapping[str, Any]) -> None:
    with as_file(document) as path:
        load_dashboard(path).readable_json()
