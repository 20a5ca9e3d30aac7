"""What running a trial costs beside its training: ours beside bare Ray Tune, both doing nothing.

    python -m benchmarks.orchestration_speed [--rounds 5] [--trials 24] [--write]

Bare Tune has its own random search, reuses its actors, has no loggers and reports one number per
trial. Ours searches a real space with its database (SQLite), reports an epoch, and leaves records
and files of every trial. Both run in the same Ray, whose start is not counted, two trials at once.
Steady state is the slope from trial ``--skip`` to the last: processor seconds of the driver and all
of Ray, and wall seconds, per trial. ``--write`` keeps the numbers in benchmarks/results and writes
docs/speed.md anew.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# Ray is half typed.

import argparse
import itertools
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import keep, ratios, seconds_between, spread, tree_seconds
from benchmarks.speed_page import write_page
from nasablate.genome import SearchSpec, load_genome
from nasablate.search.driver import Driver, Rules
from nasablate.search.engine import make_proposer
from nasablate.search.job import Job, JobEnd, OnEpoch
from nasablate.search.observer import SilentObserver
from nasablate.search.ray_runner import RayRunner
from nasablate.search.space import load_space
from nasablate.store import Epoch, State, open_database

if TYPE_CHECKING:
    from collections.abc import Callable

CPUS = 2


def no_op(job: Job, device: str, on_epoch: OnEpoch) -> JobEnd:
    """Report one epoch that took no training."""
    del device
    on_epoch(Epoch(1, 1.0, 50.0, 1.0, float(job.number), 0.1, 0.0))
    return JobEnd("completed")


@dataclass
class Marks(SilentObserver):
    """The moments at which trials ended: wall and processor seconds."""

    skip: int
    trials: int
    number: int = 0
    marks: list[tuple[float, dict[int, float]]] = field(
        default_factory=list[tuple[float, dict[int, float]]]
    )

    def on_trial_end(self, number: int, state: State, value: float | None, reason: str) -> None:
        """Take the time at the first and the last trial that count."""
        del number, state, value, reason
        self.ended()

    def ended(self) -> None:
        """Count a trial that has ended."""
        self.number += 1
        if self.number in {self.skip, self.trials}:
            self.marks.append((time.perf_counter(), tree_seconds()))

    def per_trial(self) -> tuple[float, float]:
        """Return wall and processor seconds per trial."""
        (wall, before), (last_wall, after) = self.marks
        count = self.trials - self.skip
        return (last_wall - wall) / count, seconds_between(before, after) / count


def main() -> None:
    """Time both and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--skip", type=int, default=8)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    spec = _spec(arguments.trials)
    forms: dict[str, Callable[[RayRunner, Path, Marks], None]] = {
        "nasablate": lambda runner, folder, marks: _ours(runner, spec, folder, marks),
        "bare Ray Tune": lambda _, folder, marks: _bare(folder, marks),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in forms}
    with (
        tempfile.TemporaryDirectory() as base,
        RayRunner(spec.resources, SilentObserver(), num_cpus=CPUS) as runner,
    ):
        for number in range(arguments.rounds):
            for name in forms if number % 2 == 0 else reversed(forms):
                folder = Path(tempfile.mkdtemp(dir=base))
                marks = Marks(arguments.skip, arguments.trials)
                forms[name](runner, folder, marks)
                found[name].append(marks.per_trial())
                print(name, found[name][-1], flush=True)
    kinds = {"wall": 0, "processor": 1}
    numbers = {
        kind: {name: [pair[index] for pair in pairs] for name, pairs in found.items()}
        for kind, index in kinds.items()
    }
    for kind, by_form in numbers.items():
        for name, seconds in by_form.items():
            print(f"{name:14} {spread([1e3 * value for value in seconds]):>28} ms of {kind} time")
        print(f"{spread(ratios(by_form['nasablate'], by_form['bare Ray Tune'])):>43} times")
    if arguments.write:
        import ray

        settings = {"trials": arguments.trials, "skip": arguments.skip, "cpus": CPUS}
        keep("orchestration", {"ray": ray.__version__, **settings, "seconds": numbers})
        write_page()


def _spec(trials: int) -> SearchSpec:
    return SearchSpec.parse(
        {
            "name": "nothing",
            "base": load_genome("resnet-20").document(),
            "axes": {"width": {"int": [16, 16 + 8 * trials]}, "stem.width": {"int": [8, 16]}},
            "training": {"recipe": "quick", "epochs": 1},
            "data": "digits",
            "sampler": {"name": "random"},
            "trials": trials,
            "resources": {"gpus_per_trial": 0, "concurrent": CPUS},
        }
    )


def _ours(runner: RayRunner, spec: SearchSpec, folder: Path, marks: Marks) -> None:
    from nasablate.data import load_info

    info = load_info(spec.data)
    database = open_database(f"sqlite:///{folder}/runs.db")
    study = database.create(spec.name, {"val_error": "minimize"}, {"kind": "search"})
    proposer = make_proposer(spec, load_space(spec, info), info.fingerprint, spec.trials)
    data = spec.data.canonical_json()
    rules = Rules({"val_error": "minimize"}, spec.scheduler, data, spec.trials)
    runner.run(Driver(study, proposer, rules, marks), "benchmarks.orchestration_speed:no_op")
    database.close()


def _bare(folder: Path, marks: Marks) -> None:
    from ray import tune

    class Counting(tune.Callback):
        def on_trial_complete(
            self, iteration: int, trials: list[Any], trial: Any, **info: Any
        ) -> None:
            del iteration, trials, trial, info
            marks.ended()

        def __reduce__(self) -> tuple[Any, ...]:
            return tune.Callback, ()

    def nothing(config: dict[str, Any]) -> None:
        tune.report({"error": config["width"]})

    space = {"width": tune.randint(8, 200), "stem": tune.randint(8, 17)}
    tune.Tuner(
        tune.with_resources(nothing, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(
            num_samples=marks.trials, max_concurrent_trials=CPUS, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name=f"bare{next(_COUNT)}",
            storage_path=str(folder),
            verbose=0,
            callbacks=[Counting()],
        ),
    ).fit()


_COUNT = itertools.count()


if __name__ == "__main__":
    main()
