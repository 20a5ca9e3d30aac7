"""Ablations whose errors are made up, in a database as a real run leaves it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nasablate.data import load_info
from nasablate.genome import AblationSpec, Genome, load_recipe
from nasablate.search import ablation
from nasablate.search.ablation_result import AblationResult, load_ablation_result
from nasablate.search.arms import resolve_arms
from nasablate.store import Epoch, open_database
from nasablate.store.predictions import Predictions

BASELINE: Mapping[str, Any] = {
    "stages": [{"units": 1}, {"units": 1, "stride": 2}],
    "stem": {"kind": "conv3x3", "width": 8},
    "width": 8,
    "placement": "preactivation",
    "head": {"tail": ["bn", "relu"]},
}
FACTORS: Mapping[str, Any] = {
    "first_relu": {"keep": {"placement.pre": ["bn", "relu"]}, "remove": {"placement.pre": ["bn"]}},
    "final_bn": {"without": {}, "with": {"placement.post": ["bn"]}},
}
IMAGES = 40


def ablation_of(**changes: Any) -> AblationSpec:
    """Return a small ablation on digits with some fields changed."""
    document = {
        "kind": "ablation",
        "name": "try",
        "baseline": dict(BASELINE),
        "factors": dict(FACTORS),
        "design": "one_at_a_time",
        "seeds": 7,
        "data": "digits",
        **changes,
    }
    spec = AblationSpec.parse(document)
    genome = Genome.parse({"kind": "genome", **document["baseline"]})
    recipe = load_recipe(spec.training)
    return spec.model_copy(update={"baseline": genome.document(), "training": recipe.document()})


def pretend(
    url: str, spec: AblationSpec, error: Callable[[Mapping[str, Any], int], float | None]
) -> AblationResult:
    """Write a study whose trials have the errors asked for, and return what it comes to.

    Args:
        url: A database.
        spec: The ablation.
        error: From a trial's settings and replicate to its error; None is a trial that failed.
    """
    info = load_info(spec.data)
    arms = resolve_arms(spec, info)
    database = open_database(url)
    study = ablation._study(database, spec, arms, info)
    for proposal in ablation._proposals(spec, arms, info.fingerprint):
        number = study.create_trial(proposal.new_trial({"attempt": 0}))
        study.set_evaluation(proposal.key, number, "running")
        value = error(proposal.params, int(str(proposal.params["replicate"])))
        if value is None:
            kept = {"failure_reason": "made up", "failure_kind": "diverged"}
            study.finish_trial(number, "fail", None, kept)
            continue
        study.add_epoch(number, Epoch(1, 0.5, 50.0, value / 10, value, 0.1, 1.0))
        study.predictions.add(_predictions(number, value))
        study.finish_trial(number, "complete", (value,), {})
    return load_ablation_result(database, spec)


def _predictions(number: int, error: float) -> Predictions:
    """Return a network that has the first images right, as far as its error allows."""
    right = np.arange(IMAGES) >= round(IMAGES * error / 100)
    return Predictions(
        number=number,
        part="validation",
        num_images=IMAGES,
        correct=np.packbits(right).tobytes(),
        loss=error / 10,
        true_probability=1 - error / 100,
    )
