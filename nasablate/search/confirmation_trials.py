"""The trials that confirm the best few of a search, on seeds that the search never saw."""

import hashlib
from collections.abc import Sequence

from optuna.distributions import IntDistribution

from nasablate.genome import SearchSpec
from nasablate.search.proposals import Proposal, Setting, key_of
from nasablate.store import TrialRecord

_COPIED = (
    "genome",
    "recipe",
    "network_digest",
    "recipe_digest",
    "data_fingerprint",
    "threads",
    "params",
    "macs",
    "activation_bytes",
    "epochs",
)


def fresh_seed(seed: int, replicate: int) -> int:
    """Return a seed of a confirmation, never that of the search."""
    digest = hashlib.sha256(f"{seed}:confirm:{replicate}".encode()).digest()
    fresh = int.from_bytes(digest[:4]) >> 1
    return fresh if fresh != seed else fresh + 1


def confirmation_proposals(chosen: Sequence[TrialRecord], spec: SearchSpec) -> list[Proposal]:
    """Return the trials of a confirmation: every candidate on every fresh seed, seed by seed."""
    assert spec.confirm is not None
    proposals: list[Proposal] = []
    for replicate in range(spec.confirm.seeds):
        seed = fresh_seed(spec.seed, replicate)
        for trial in chosen:
            own = {"seed": seed, "candidate": trial.number, "replicate": replicate}
            own["trainings"] = spec.confirm.seeds
            proposals.append(_proposal(len(proposals), trial, own))
    return proposals


def _proposal(index: int, trial: TrialRecord, own: dict[str, int]) -> Proposal:
    copied = {name: trial.attributes[name] for name in _COPIED}
    workers = int(trial.attributes.get("workers", 1))
    copied |= {"workers": workers} if workers > 1 else {}
    setting = Setting(copied["data_fingerprint"], own["seed"], copied["threads"], workers)
    return Proposal(
        index=index,
        key=key_of(copied["network_digest"], copied["recipe_digest"], setting),
        params={"candidate": trial.number, "replicate": own["replicate"]},
        # One distribution per name throughout the study, whoever the candidates will be.
        distributions={
            "candidate": IntDistribution(0, 1_000_000),
            "replicate": IntDistribution(0, 1_000_000),
        },
        attributes={**copied, **own},
    )
