"""A deletion study as CSV: one row per evaluation of a trained network."""

import csv
import io

from nasablate.analysis.finite_population import share_interval
from nasablate.search.deletion_trials import Images, deletion_of
from nasablate.store import StudyStore

_COLUMNS = (
    "network", "replicate", "seed", "kind", "name", "units", "stage", "count", "repeat", "factor",
    "swaps", "kendall_tau", "error", "rise", "cross_entropy", "true_class_probability",
    "images", "images_in_all", "error_low", "error_high",
)  # fmt: skip


def deletion_csv(study: StudyStore) -> str:
    """Return every evaluation with its error and its rise above the intact network.

    If only a random part of the images judged, ``error_low`` and ``error_high`` are the exact 95 %
    interval for the error of this trained network on all of them; else both are the error.
    """
    buffer = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    trials = [trial for trial in study.trials() if trial.values is not None]
    intact = {
        (trial.params["network"], trial.params["replicate"]): trial.values[0]
        for trial in trials
        if trial.values is not None and deletion_of(trial).kind == "intact"
    }
    found = study.attributes().get("images")
    images = None if found is None else Images(**found)
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
                **_certainty(trial.values[0], images),
            }
        )
    return buffer.getvalue()


def _certainty(error: float, images: Images | None) -> dict[str, float]:
    """Return how many images judged and what their error says of all."""
    if images is None:
        return {}
    low = high = error
    if images.is_estimate:
        wrong = round(error / 100 * images.chosen)
        interval = share_interval(wrong, images.chosen, images.total)
        low, high = interval.low, interval.high
    return {
        "images": images.chosen,
        "images_in_all": images.total,
        "error_low": low,
        "error_high": high,
    }
