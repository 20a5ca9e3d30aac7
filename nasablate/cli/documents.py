"""Studies and trials as plain documents: the stable form that ``--json`` prints."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasablate.store import Epoch, Step, StudySummary, TestReading, TrialRecord

_ATTRIBUTES = (
    "params",
    "macs",
    "seed",
    "role",
    "network_digest",
    "recipe_digest",
    "data_fingerprint",
    "cached_from",
)


def study_document(summary: "StudySummary") -> dict[str, Any]:
    """Return a study's name, kind, objectives and the number of trials in each state."""
    return {
        "name": summary.name,
        "kind": summary.kind,
        "objectives": dict(summary.objectives),
        "states": dict(summary.counts),
        "trials": summary.num_trials,
    }


def reading_document(reading: "TestReading") -> dict[str, Any]:
    """Return one reading of the test set, without the single answers."""
    return {
        "trial": f"{reading.study}/{reading.number}",
        "purpose": reading.purpose,
        "error": reading.error,
        "loss": reading.loss,
        "num_images": reading.num_images,
        "read_at": reading.read_at.isoformat(),
    }


def trial_document(
    trial: "TrialRecord", objectives: Mapping[str, str], curve: Sequence["Epoch"]
) -> dict[str, Any]:
    """Return a trial: its axes, state, objective values, size and progress."""
    values = trial.values if trial.values is not None else (None,) * len(objectives)
    return {
        "name": trial.name,
        "study": trial.study,
        "number": trial.number,
        "state": trial.state,
        "axes": dict(trial.params),
        "objectives": dict(zip(objectives, values, strict=True)),
        "val_error": curve[-1].val_error if curve else None,
        "epochs": len(curve),
        "train_seconds": sum(epoch.seconds for epoch in curve),
        "started": _text(trial.started),
        "finished": _text(trial.finished),
        "attempt": trial.attempt,
        "failure_reason": trial.failure_reason,
        **{key: trial.attributes.get(key) for key in _ATTRIBUTES},
    }


def trial_details(
    trial: "TrialRecord",
    objectives: Mapping[str, str],
    curve: Sequence["Epoch"],
    steps: Mapping[int, Sequence["Step"]],
) -> dict[str, Any]:
    """Return a trial with its genome, curve, steps by epoch and manifest."""
    return {
        **trial_document(trial, objectives, curve),
        "genome": trial.genome if "genome" in trial.attributes else None,
        "curve": [
            {**asdict(epoch), "steps": [step._asdict() for step in steps.get(epoch.epoch, ())]}
            for epoch in curve
        ],
        "manifest": json.loads(trial.attributes.get("manifest", "null")),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
