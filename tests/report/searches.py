"""A made-up search with several axes, stopped and failed trials, without training."""

import json
from pathlib import Path

from optuna.distributions import CategoricalDistribution

from nasablate.genome import SearchSpec
from nasablate.store import Epoch, NewTrial, open_database
from tests.report.studies import BASELINE, MANIFEST, RECIPE

NASTY = "<b>bold</b> \"quoted\" & 'q' </script> 한국어"
EPOCHS = 9


def wide_spec(**changes):
    document = {
        "name": "wide", "question": NASTY, "base": BASELINE,
        "axes": {"width": {"choice": [4, 8, 16]}, "stages.0.units": {"choice": [1, 2]}},
        "constraints": {"params": {"max": 100000.0}},
        "scheduler": {"name": "halving", "min_epochs": 3, "factor": 3},
        "training": RECIPE.document() | {"epochs": EPOCHS}, "data": "digits",
        "trials": 30, **changes,
    }  # fmt: skip
    return SearchSpec.parse(document)


def make_wide_search(folder: Path, trials: int = 30) -> str:
    """Make a search whose error depends on the width most, and return its database's URL."""
    spec = wide_spec()
    url = f"sqlite:///{folder}/w.db"
    database = open_database(url)
    known = {"kind": "search", "question": spec.question, "spec": spec.readable_json(),
             "data_fingerprint": "fingerprint-of-the-data"}  # fmt: skip
    study = database.create("wide", {"val_error": "minimize"}, known)
    for place in range(trials):
        width, depth = (4, 8, 16)[place % 3], 1 + place // 3 % 2
        axes = {"width": width, "depth": depth, "name": (NASTY, "plain")[place // 6 % 2]}
        if depth == 2:
            axes["second"] = place % 4
        error = 40 / width + 0.5 * depth + 0.01 * place
        state = "fail" if place == 7 else "pruned" if place % 10 == 5 else "complete"
        _add(study, axes, place, error, state)
    database.close()
    return url


def _add(study, axes, place, error, state):
    choices = {"width": (4, 8, 16), "depth": (1, 2), "name": (NASTY, "plain"),
               "second": (0, 1, 2, 3)}  # fmt: skip
    params = 1000 * axes["width"] // 4 * (1 + place % 4)
    number = study.create_trial(
        NewTrial(
            axes, {name: CategoricalDistribution(choices[name]) for name in axes},
            {"genome": json.dumps(BASELINE), "params": params, "macs": 10 * params,
             "activation_bytes": 100 * params, "seed": 0, "epochs": EPOCHS},
        )
    )  # fmt: skip
    for epoch in range(1, (EPOCHS if state == "complete" else 3) + 1):
        study.add_epoch(number, Epoch(epoch, 1.0, 50.0, 1.0, error + EPOCHS - epoch, 0.1, 1.0))
    last = {"manifest": json.dumps(MANIFEST)}
    if state == "fail":
        last |= {"failure_reason": NASTY, "failure_kind": "failed"}
    study.finish_trial(number, state, (error,) if state == "complete" else None, last)
