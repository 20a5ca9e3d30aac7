"""A closed terminal, a second signal and a full pipe leave a study that goes on."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.search.test_kills import Search, check_whole


def start(search: Search, **options):
    return subprocess.Popen(
        search._command, env=search._environment, stdin=subprocess.DEVNULL, **options
    )


@pytest.mark.slow
def test_a_closed_terminal_ends_the_driver_and_the_search_goes_on(tmp_path):
    """SIGHUP ends it at once, since it reaches Ray's own processes too; the rows are enough."""
    search = Search(tmp_path / "s", "inline", "random", "6", seconds=1)
    with search.start() as process:
        search.wait_for_epochs(process, 3)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=30) == -signal.SIGHUP
    assert not all(trial.is_finished for trial in search.study()[0])
    fast = Search(tmp_path / "s", "inline", "random", "6", seconds=0)
    fast.finish()
    check_whole(fast, 6)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_signals_at_any_moment(number, tmp_path):
    """Also before the first trial and between trials, and twice; other moments for each signal."""
    rng = random.Random(number)
    for place, moment in enumerate((0.0, rng.uniform(0.3, 1.5), rng.uniform(1.5, 3))):
        search = Search(tmp_path / str(place), "inline", "random", "4", seconds=0.1)
        with search.start() as process:
            time.sleep(moment)
            process.send_signal(number)
            process.send_signal(number)
            process.wait(timeout=30)
        fast = Search(tmp_path / str(place), "inline", "random", "4", seconds=0)
        fast.finish()
        check_whole(fast, 4)


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_nobody_reads_any_more(tmp_path, stream):
    """The real command into ``| head -1``, and again without."""
    (tmp_path / "s.yaml").write_text(
        "kind: search\nname: toy\nbase: {stages: [{units: 1}], width: 4}\n"
        "axes: {width: {choice: [4, 8]}}\nsampler: {name: grid}\n"
        "training: {recipe: quick, epochs: 1}\ndata: digits\ntrials: 2\n"
    )
    code = "from nasablate.cli.main import main; main()"
    arguments = ["search", "s.yaml", "--runner", "inline", "--storage", "sqlite:///runs.db"]
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, **streams
    ) as process:
        getattr(process, stream).close()
        process.wait(timeout=120)
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"2 trials: 2 complete" in done.stdout
