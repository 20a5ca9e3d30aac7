"""The study of a deletion file in the database: what it says of itself and of its networks."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nasablate.genome import DeletionSpec
from nasablate.genome.deletion import TrainedHere
from nasablate.search.deletion_cases import Questions
from nasablate.search.deletion_networks import StudiedNetwork
from nasablate.search.spec_guard import check_same_images, check_unchanged, stored_spec
from nasablate.store import Database, StudyStore

if TYPE_CHECKING:
    from nasablate.data import DataInfo

KIND = "deletion"
NETWORKS = "networks"
"""Attribute of the study: its networks, their units and trained copies."""
IMAGES = "images"
"""Attribute of the study: the images that judge."""
DATA = "data"
"""Attribute of the study: how many images each part has."""


def open_study(
    database: Database,
    spec: DeletionSpec,
    info: "DataInfo",
    networks: Sequence[dict[str, Any]],
) -> StudyStore:
    """Return the study, made if it is new, up to date with an extended file.

    Raises:
        StoreError: the study began with another file, other images or other networks.
    """
    from nasablate import __version__

    described: dict[str, Any] = {
        "kind": KIND,
        "question": spec.question,
        "spec": spec.readable_json(),
        "nasablate_version": __version__,
        DATA: {"num_train": info.num_train, "num_val": info.num_val, "num_test": info.num_test},
        NETWORKS: list(networks),
    }
    study = database.find(spec.name)
    if study is None:
        attributes = {**described, "data_fingerprint": info.fingerprint}
        return database.create(spec.name, {"error": "minimize"}, attributes)
    check_unchanged(stored_spec(study, KIND), spec, 0)
    check_same_images(study, spec, info.fingerprint)
    for key, value in described.items():
        study.set_attribute(key, value)
    return study


def network_document(
    spec: DeletionSpec, network: StudiedNetwork, asked: Questions
) -> dict[str, Any]:
    """Return what the study says of a network."""
    return {
        "name": network.name,
        "digest": network.variant.network_digest,
        "genome": network.variant.genome.document(),
        "recipe": network.variant.recipe.document(),
        "trained_here": isinstance(spec.networks[network.name], TrainedHere),
        "params": network.variant.cost.params,
        "macs": network.variant.cost.macs,
        "units": [asdict(candidate) for candidate in asked.candidates],
        "notes": list(asked.notes),
        "path_lengths": list(asked.path_lengths),
        "deletions": len(asked.deletions),
        "members": [
            {
                "replicate": member.replicate,
                "seed": member.seed,
                "identity": member.identity,
                "trained": member.origin,
                "problem": member.problem,
            }
            for member in network.members
        ],
    }
