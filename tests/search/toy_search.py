"""A search with toy trainings in a process of its own, for tests that kill it.

python -m tests.search.toy_search FOLDER RUNNER SAMPLER TRIALS [confirm]
"""

import sys

from nasablate.genome import SearchSpec
from nasablate.search.engine import SearchRun, make_proposer
from nasablate.search.inline_runner import InlineRunner
from nasablate.search.observer import SilentObserver
from nasablate.search.result import SearchResult
from tests.search.toy import READ_TEST, TRAIN, ToySpace


def toy_spec(**changes: object) -> SearchSpec:
    return SearchSpec.parse(
        {
            "name": "toy",
            "base": {"stages": [{"units": 1}]},
            "axes": {"width": {"int": [1, 2]}},
            "data": "digits",
            "trials": 10,
            "sampler": {"name": "random"},
            "resources": {"gpus_per_trial": 0},
            **changes,
        }
    )


def toy_search(
    url: str,
    spec: SearchSpec,
    space: ToySpace | None = None,
    runner: str = "inline",
    observer: SilentObserver | None = None,
) -> SearchResult:
    observer = observer or SilentObserver()
    if runner == "inline":
        chosen = InlineRunner(spec.resources)
    else:
        from nasablate.search.ray_runner import RayRunner

        chosen = RayRunner(spec.resources, observer, num_cpus=2)
    proposer = make_proposer(spec, space or ToySpace((6, 6), limit=8), "fingerprint", spec.trials)
    run = SearchRun(spec, url, spec.trials, observer, (TRAIN, READ_TEST))
    return run.run(proposer, chosen)


if __name__ == "__main__":
    folder, runner_name, sampler, trials = sys.argv[1:5]
    changes: dict[str, object] = {"sampler": {"name": sampler}, "trials": int(trials)}
    if sys.argv[5:] == ["rungs"]:
        changes["scheduler"] = {"name": "halving", "min_epochs": 1, "factor": 2}
    if sys.argv[5:] == ["confirm"]:
        changes["confirm"] = {"top": 2, "seeds": 2}
    result = toy_search(f"sqlite:///{folder}/toy.db", toy_spec(**changes), runner=runner_name)
    sys.exit(130 if result.interrupted else 0)
