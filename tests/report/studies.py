"""Studies with made-up results in a real database, without training."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from nasablate.genome import AblationSpec, Genome, SearchSpec, load_recipe
from nasablate.store import Epoch, NewTrial, TestReading, now, open_database
from nasablate.store.predictions import Predictions

BASELINE = Genome.parse({"stages": [{"units": 1}], "width": 4}).document()
RECIPE = load_recipe({"recipe": "quick", "epochs": 2})
LEVELS = {
    "baseline": {"relu": "keep", "bn": "without"},
    "bn=with": {"relu": "keep", "bn": "with"},
    "relu=remove": {"relu": "remove", "bn": "without"},
    "relu=remove, bn=with": {"relu": "remove", "bn": "with"},
}
ERRORS = {
    "baseline": [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0],
    "bn=with": [17.9, 18.8, 20.1, 21.0, 22.1, 22.9, 24.0],
    "relu=remove": [23.0, 24.2, 24.9, 26.1, 27.0, 28.0, 29.1],
    "relu=remove, bn=with": [20.1, 20.9, 22.1, 22.9, 24.1, 24.9, 26.0],
}
REPORTED = [
    {"arm": {"bn": "with"}, "value": 16.5, "n": 5, "std": 0.3, "source": "a paper, table 1"},
    {"arm": {"relu": "remove"}, "source": "a paper, table 2", "note": "could not be read"},
]
MANIFEST = {
    "job": "x", "data_fingerprint": "f", "code": {"version": "0.1", "commit": None},
    "packages": {"torch": "2.13.0"}, "device": "cpu: a processor", "cuda": None,
}  # fmt: skip


@dataclass
class Fate:
    """What became of one trial that has no result."""

    state: str
    epochs: int = 0
    reason: str = ""


@dataclass
class Plan:
    """What a made-up ablation holds."""

    name: str = "try"
    fates: dict = field(default_factory=dict)
    """By arm and replicate; None: there is no trial."""
    manifests: dict = field(default_factory=dict)
    """Changes of the manifest by replicate."""
    changes: dict = field(default_factory=dict)
    """Of the study's file."""


def ablation_spec(name="try", **changes):
    document = {
        "name": name, "question": "Does <b>it</b> help & why?", "baseline": BASELINE,
        "factors": {
            "relu": {"keep": {}, "remove": {"placement.pre": ["bn"]}},
            "bn": {"without": {}, "with": {"placement.post": ["bn"]}},
        },
        "design": "factorial", "seeds": 7, "margin": 0.5, "data": "digits",
        "training": RECIPE.document(), "reported": REPORTED, **changes,
    }  # fmt: skip
    return AblationSpec.parse(document)


def arm_documents():
    found = []
    for place, (name, levels) in enumerate(LEVELS.items()):
        edits = {"placement.pre": ["bn"]} if levels["relu"] == "remove" else {}
        edits |= {"placement.post": ["bn"]} if levels["bn"] == "with" else {}
        differs = {
            "changes": [
                {"path": path, "reference": [], "arm": value} for path, value in edits.items()
            ],
            "also": [], "notes": [], "text": "params +1.00%" if "bn=" in name else "",
        }  # fmt: skip
        found.append(
            {"name": name, "levels": levels, "edits": edits, "params": 1000 + place,
             "macs": 10_000 + place, "digest": f"digest-{place}", "cell": "", "matching": None,
             "differs": differs if place else None}
        )  # fmt: skip
    return found


def make_ablation(folder: Path, plan: Plan | None = None) -> str:
    """Make an ablation and return the URL of its database."""
    plan = plan or Plan()
    spec = ablation_spec(plan.name, **plan.changes)
    url = f"sqlite:///{folder}/a.db"
    database = open_database(url)
    study = database.create(
        spec.name,
        {"val_error": "minimize"},
        {"kind": "ablation", "question": spec.question, "spec": spec.readable_json(),
         "nasablate_version": "0.1", "arms": arm_documents(), "levels": {},
         "data": {"num_train": 1078, "num_val": 360, "num_test": 359},
         "data_fingerprint": "fingerprint-of-the-data"},
    )  # fmt: skip
    for replicate in range(spec.seeds):
        for arm in LEVELS:
            fate = plan.fates.get((arm, replicate), Fate("complete", 2))
            if fate is not None:
                _add_trial(study, arm, replicate, fate, plan)
    database.close()
    return url


def _add_trial(study, arm, replicate, fate, plan):
    number = study.create_trial(
        NewTrial(
            {}, {},
            {"arm": arm, "replicate": replicate, "genome": json.dumps(BASELINE),
             "recipe": RECIPE.readable_json(), "network_digest": f"network-{arm}",
             "recipe_digest": "recipe-digest", "seed": replicate, "epochs": 2, "params": 1000,
             "macs": 10_000},
        )
    )  # fmt: skip
    error = ERRORS[arm][replicate]
    for epoch in range(1, fate.epochs + 1):
        study.add_epoch(number, Epoch(epoch, 1.0, 50.0, 1.0, error + 10 * (2 - epoch), 0.1, 1.0))
    manifest = json.dumps(MANIFEST | plan.manifests.get(replicate, {}))
    if fate.state == "waiting":
        study.set_waiting(number)
    elif fate.state == "fail":
        study.finish_trial(number, "fail", None, {"failure_reason": fate.reason})
    elif fate.state == "complete":
        study.finish_trial(number, "complete", (error,), {"manifest": manifest})
        study.predictions.add(Predictions(number, "validation", 360, bytes(45), 1.0, 0.5))


def search_spec(**changes):
    document = {
        "name": "hunt", "question": "Which width?", "base": BASELINE,
        "axes": {"width": {"choice": [4, 8, 16]}}, "training": RECIPE.document(),
        "data": "digits", "trials": 4, **changes,
    }  # fmt: skip
    return SearchSpec.parse(document)


def make_search(folder: Path, *, done: int = 4, confirmed: bool = True) -> str:
    """Make a search, its best trial confirmed on two seeds, and return its database's URL."""
    spec = search_spec(confirm={"top": 1, "seeds": 2} if confirmed else None)
    url = f"sqlite:///{folder}/s.db"
    database = open_database(url)
    known = {"kind": "search", "question": spec.question, "spec": spec.readable_json(),
             "data_fingerprint": "fingerprint-of-the-data"}  # fmt: skip
    study = database.create("hunt", {"val_error": "minimize"}, known)
    outcomes = [("complete", 9.0), ("fail", 50.0), ("complete", 7.0), ("pruned", 30.0)][:done]
    for place, (state, error) in enumerate(outcomes):
        _add_search_trial(study, {"width": 4 * 2**place}, 1000 * 2**place, state, error)
    if confirmed and done == 4:
        other = database.create("hunt.confirm", {"val_error": "minimize"},
                                known | {"kind": "confirmation"})  # fmt: skip
        for replicate, error in enumerate([8.0, 8.4]):
            extra = {"candidate": 2, "replicate": replicate}
            _add_search_trial(other, {}, 4000, "complete", error, extra)
            other.add_test_reading(
                TestReading("hunt.confirm", replicate,
                            "winner of the search, chosen by validation error on fresh seeds",
                            error + 1, 0.3, 359, bytes(45), now())
            )  # fmt: skip
    database.close()
    return url


def _add_search_trial(study, axes, params, state, error, extra=None):
    from optuna.distributions import CategoricalDistribution

    known = {"genome": json.dumps(BASELINE), "params": params, "macs": 10 * params, "seed": 0,
             "epochs": 2, "network_digest": f"network-{params}", **(extra or {})}  # fmt: skip
    distributions = {name: CategoricalDistribution((4, 8, 16, 32)) for name in axes}
    number = study.create_trial(NewTrial(axes, distributions, known))
    study.add_epoch(number, Epoch(1, 1.0, 50.0, 1.0, error + 5, 0.1, 1.0))
    study.add_epoch(number, Epoch(2, 1.0, 50.0, 1.0, error, 0.1, 1.0))
    reason = {"failure_reason": "loss became nan"} if state == "fail" else {}
    manifest = {"manifest": json.dumps(MANIFEST)}
    values = (error,) if state == "complete" else None
    study.finish_trial(number, state, values, reason or manifest)
