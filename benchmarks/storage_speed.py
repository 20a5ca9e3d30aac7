"""Processor time to store a step's metrics: our tables beside Optuna's ``report()``.

    python -m benchmarks.storage_speed [--rounds 9] [--write]

``report()`` and our rows go into the same SQLite database, opened as every search opens it; the
first form is a database as Optuna opens it by itself. A live step is one of an epoch that a running
trial stores with its steps, in one transaction: training loss and learning rate. Epochs have six
numbers; records of finished studies are imported many epochs at once. ``--write`` keeps the numbers
in benchmarks/results and writes docs/speed.md anew.
"""

import argparse
import tempfile
import warnings
from collections.abc import Callable

import optuna
from optuna.distributions import FloatDistribution

from benchmarks.measuring import keep, own_seconds, ratios, spread, take_turns
from benchmarks.speed_page import write_page
from nasablate.store import Epoch, NewTrial, Step, StudyStore, open_database

DEFAULT, REPORT = "Optuna's report(), its own database", "Optuna's report(), our database"
LIVE = {"live, 39 steps an epoch": 39, "live, 10 steps an epoch": 10}
"""39: every tenth step of CIFAR-10 in batches of 128."""
ROW, ROWS = "epochs of a running trial, without steps", "imported epochs, 100 at once"


def main() -> None:
    """Time all forms and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    steps = arguments.steps
    with tempfile.TemporaryDirectory() as folder:
        theirs = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db")
        url = f"sqlite:///{folder}/ours.db"
        ours = open_database(url).create("steps", {"val_error": "minimize"}, {"kind": "search"})
        same = optuna.load_study(study_name="steps", storage=_storage(ours))
        forms = {
            DEFAULT: _reports(theirs, steps),
            REPORT: _reports(same, steps),
            **{name: _live(ours, steps, number) for name, number in LIVE.items()},
            ROW: _rows(ours, steps, 1),
            ROWS: _rows(ours, steps, 100),
        }
        for form in forms.values():
            form()
        found = take_turns(forms, arguments.rounds)
    for name, seconds in found.items():
        milliseconds = [1e3 * value for value in seconds]
        cheaper = spread(ratios(found[REPORT], seconds))
        print(f"{name:42} {spread(milliseconds):>28} ms a step, {cheaper} times cheaper")
    if arguments.write:
        keep("storage", {"optuna": optuna.__version__, "steps": steps, "seconds": found})
        write_page()


def _storage(study: StudyStore) -> optuna.storages.RDBStorage:
    return study._storage  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - to compare


def _reports(study: optuna.Study, steps: int) -> Callable[[], float]:
    """Return the processor seconds of one step, on a fresh trial every time."""

    def run() -> float:
        trial = study.ask({"x": FloatDistribution(0, 1)})
        before = own_seconds()
        for step in range(steps):
            trial.report(0.5 + step, step)
        return (own_seconds() - before) / steps

    return run


def _live(study: StudyStore, steps: int, per_epoch: int) -> Callable[[], float]:
    """Return the processor seconds of one step, its part of the epoch's row included."""
    epochs = -(-steps // per_epoch)

    def run() -> float:
        number = study.create_trial(NewTrial({}, {}, {}))
        before = own_seconds()
        for epoch in range(epochs):
            first = 1 + epoch * per_epoch
            recorded = tuple(Step(step, 1.5, 0.1) for step in range(first, first + per_epoch))
            study.add_epoch(number, Epoch(epoch + 1, 1.5, 40.0, 1.4, 39.0, 0.1, 2.0, recorded))
        return (own_seconds() - before) / (epochs * per_epoch)

    return run


def _rows(study: StudyStore, steps: int, at_once: int) -> Callable[[], float]:
    def run() -> float:
        number = study.create_trial(NewTrial({}, {}, {}))
        curve = [Epoch(step + 1, 1.5, 40.0, 1.4, 39.0, 0.1, 2.0) for step in range(steps)]
        before = own_seconds()
        if at_once == 1:
            for epoch in curve:
                study.add_epoch(number, epoch)
        else:
            for start in range(0, steps, at_once):
                study.add_epochs(number, curve[start : start + at_once])
        return (own_seconds() - before) / steps

    return run


if __name__ == "__main__":
    main()
