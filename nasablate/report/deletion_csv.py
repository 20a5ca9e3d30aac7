"""A deletion study as CSV: one row per evaluation of a trained network."""

import csv
import io

from nasablate.search.deletion_trials import deletion_of
from nasablate.store import StudyStore

_COLUMNS = (
    "network", "replicate", "seed", "kind", "name", "units", "stage", "count", "repeat", "factor",
    "swaps", "kendall_tau", "error", "rise", "cross_entropy", "true_class_probability",
)  # fmt: skip


def deletion_csv(study: StudyStore) -> str:
    """Return every evaluation with its error and its rise above the intact network."""
    buffer = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    trials = [trial for trial in study.trials() if trial.values is not None]
    intact = {
        (trial.params["network"], trial.params["replicate"]): trial.values[0]
        for trial in trials
        if trial.values is not None and deletion_of(trial).kind == "intact"
    }
    for trial in trials:
        assert trial.values is not None
        deletion, attributes = deletion_of(trial), trial.attributes
        network, replicate = trial.params["network"], trial.params["replicate"]
        before = intact.get((network, replicate))
        writer.writerow(
            {
                "network": network,
                "replicate": replicate,
                "seed": attributes.get("seed"),
                "kind": deletion.kind,
                "name": deletion.name,
                "units": " ".join(deletion.units),
                "stage": deletion.stage,
                "count": deletion.count,
                "repeat": deletion.repeat,
                "factor": deletion.factor,
                "swaps": deletion.swaps,
                "kendall_tau": deletion.kendall_tau,
                "error": trial.values[0],
                "rise": None if before is None else trial.values[0] - before,
                "cross_entropy": attributes.get("cross_entropy"),
                "true_class_probability": attributes.get("true_class_probability"),
            }
        )
    return buffer.getvalue()
