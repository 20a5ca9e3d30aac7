"""Real kills of a driver's process, and the same command again.

What was really trained is in the log that the toy training writes, not in what drivers say.
"""

import collections
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasablate.store import open_database

RAY = pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])


class Search:
    """One folder with one search, run by processes that come and go."""

    def __init__(self, folder: Path, *command: str, seconds: float = 0.05) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.log = folder / "log"
        self._command = [sys.executable, "-m", "tests.search.toy_search", str(folder), *command]
        self._environment = {
            **os.environ,
            "NASABLATE_TOY_LOG": str(self.log),
            "NASABLATE_TOY_SECONDS": str(seconds),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self) -> None:
        with self.start() as process:
            _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def wait_for_epochs(self, process: subprocess.Popen[bytes], count: int) -> None:
        """Wait until so many more epochs were trained, or the search is over."""
        wanted = len(self.lines()) + count
        deadline = time.monotonic() + 120
        while len(self.lines()) < wanted and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def kill_after(self, count: int) -> None:
        with self.start() as process:
            self.wait_for_epochs(process, count)
            process.kill()
            process.wait()

    def study(self):
        database = open_database(f"sqlite:///{self.folder}/toy.db")
        study = database.study("toy")
        trials, curves = study.trials(), study.curves()
        database.close()
        return trials, curves


def check_whole(search: Search, trials: int) -> None:
    """Nothing lost, nothing running, nothing twice, no hole."""
    found, curves = search.study()
    assert len(found) == trials
    assert {trial.state for trial in found} <= {"complete", "pruned"}
    assert len({trial.attributes["evaluation_key"] for trial in found}) == trials
    for trial in found:
        epochs = [epoch.epoch for epoch in curves[trial.number]]
        assert epochs == list(range(1, len(epochs) + 1))
        assert list(trial.intermediate) == epochs
        assert trial.state == "pruned" or len(epochs) == 4


def retrained(search: Search) -> list[tuple[str, str]]:
    counts = collections.Counter(
        (line.split()[0], line.split()[2]) for line in search.lines() if line[0] != " "
    )
    return [epoch for epoch, count in counts.items() if count > 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("runner", "sampler"),
    [
        ("inline", "random"),
        ("inline", "grid"),
        pytest.param("ray", "random", marks=pytest.mark.ray),
    ],
)
def test_a_search_that_was_killed_often_equals_an_undisturbed_one(runner, sampler, tmp_path):
    undisturbed = Search(tmp_path / "calm", "inline", sampler, "8", seconds=0)
    undisturbed.finish()
    search = Search(tmp_path / "killed", runner, sampler, "8", seconds=0.1)
    rng = random.Random(sampler)
    kills = 4 if runner == "inline" else 3
    for _ in range(kills):
        search.kill_after(rng.randint(1, 7))
    done = [trial for trial in search.study()[0] if trial.is_finished]
    search.finish()

    check_whole(search, 8)
    trials, curves = search.study()
    calm_trials, calm_curves = undisturbed.study()
    for trial, calm in zip(trials, calm_trials, strict=True):
        assert trial.params == calm.params
        assert trial.values == calm.values
        for one, other in zip(curves[trial.number], calm_curves[calm.number], strict=True):
            assert one.same_result(other)
    # What had finished stayed as it was, and an epoch is trained twice only if the kill came
    # between its training and its checkpoint: once per kill and worker at most.
    assert all(trials[trial.number] == trial for trial in done)
    assert len(retrained(search)) <= kills * (1 if runner == "inline" else 2)


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["inline", RAY])
def test_a_search_with_rungs_survives_kills(runner, tmp_path):
    search = Search(tmp_path / "s", runner, "tpe", "10", "rungs", seconds=0.1)
    for count in (3, 5, 2):
        search.kill_after(count)
    search.finish()
    check_whole(search, 10)
    assert {trial.state for trial in search.study()[0]} == {"complete", "pruned"}


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["inline", RAY])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_soon_and_leaves_nothing_running(runner, number, tmp_path):
    search = Search(tmp_path / "s", runner, "random", "6", seconds=2)
    with search.start() as process:
        search.wait_for_epochs(process, 3)
        if number == signal.SIGTERM:  # to the command and to its group, as `timeout` does
            process.send_signal(number)
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        begun = time.monotonic()
        assert process.wait(timeout=30) == 130
        assert time.monotonic() - begun < (3 if runner == "inline" else 15)
    states = [trial.state for trial in search.study()[0]]
    assert "running" not in states
    assert "waiting" in states
    assert not processes_of(search.folder)

    fast = Search(tmp_path / "s", "inline", "random", "6", seconds=0)
    fast.finish()
    check_whole(fast, 6)


@pytest.mark.slow
def test_a_killed_confirmation_goes_on(tmp_path):
    search = Search(tmp_path / "s", "inline", "random", "4", "confirm", seconds=0.1)
    search.kill_after(4 * 4 + 5)
    search.finish()
    assert sum(line.startswith("test ") for line in search.lines()) == 2
    check_whole(search, 4)


def processes_of(folder: Path) -> list[int]:
    """Return the processes whose environment names the search's log."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder / "log").encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
