"""Gradients along paths of given lengths, kept with the study they were measured in."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nasablate.genome import DeletionSpec
from nasablate.search.deletion_trials import Images
from nasablate.store import StudyStore, canonical

if TYPE_CHECKING:
    from nasablate.search.deletion_evaluation import Bench
    from nasablate.search.deletion_networks import Member, StudiedNetwork

PREFIX = "paths of "
"""Attributes of the study that begin so hold what was measured of one trained network."""


def paths_attribute(network: str, replicate: int) -> str:
    """Return the name of the attribute of a trained network."""
    return f"{PREFIX}{network}, replicate {replicate}"


def paths_key(spec: DeletionSpec, images: Images, identity: str, lengths: Sequence[int]) -> str:
    """Return what identifies a measurement: equal keys have equal results."""
    assert spec.paths is not None
    asked = [spec.paths.samples, spec.paths.images, spec.seed, list(lengths)]
    parts = [identity, images.part, images.fingerprint, asked]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def measured_paths(
    attributes: Mapping[str, Any], name: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what was measured of every trained network of that name, by replicate."""
    for key, found in attributes.items():
        if key.startswith(PREFIX) and found["network"] == name:
            yield int(found["replicate"]), found


def measure_member(
    bench: "Bench",
    spec: DeletionSpec,
    network: "StudiedNetwork",
    member: "Member",
    lengths: Sequence[int],
) -> dict[str, Any]:
    """Return the mean gradient norm along paths of each length, as plain JSON data."""
    import torch

    from nasablate.data.batches import eval_batches
    from nasablate.search.deletion_evaluation import load_net, random_part
    from nasablate.training.deletion.gradients import measure_paths

    assert spec.paths is not None
    part = bench.part
    if spec.paths.images < len(part):
        part = random_part(part, spec.paths.images, spec.seed)
    before = torch.get_num_threads()
    torch.set_num_threads(bench.place.threads)
    try:
        net = load_net(network, member, bench.place.device)
        batches = eval_batches(part, bench.info, 128, torch.device(bench.place.device))
        found = measure_paths(net, batches, lengths, spec.paths.samples, spec.seed)
    finally:
        torch.set_num_threads(before)
    return {
        "network": member.network,
        "replicate": member.replicate,
        "key": paths_key(spec, bench.images, member.identity, lengths),
        "images": len(part),
        "samples": spec.paths.samples,
        "units": len(found.units),
        "lengths": list(found.lengths),
        "norms": [float(row.mean()) for row in found.norms],
    }


def keep_paths(study: StudyStore, document: Mapping[str, Any]) -> None:
    """Write what `measure_member` returned into the study."""
    name = paths_attribute(document["network"], document["replicate"])
    study.set_attribute(name, dict(document))
