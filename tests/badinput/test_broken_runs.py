"""A machine that fails during a run: the trial fails with its reason, the others are kept."""

import contextlib
import resource
import shutil
import subprocess
import sys

import pytest

from nasablate.search import job as job_module
from nasablate.search.job import JobEnd
from nasablate.store import Epoch, open_database
from tests.badinput.command import START, check_clear, clean_environment, run_apart, run_here, tree

SEARCH = """\
kind: search
name: toy
base: {stages: [{units: 1}], width: 4}
axes: {width: {choice: [4, 8, 12]}}
sampler: {name: grid}
training: {recipe: quick, epochs: 2}
data: digits
trials: 3
resources: {gpus_per_trial: 0}
"""
COMMAND = ("search", "s.yaml", "--runner", "inline", "--storage", "sqlite:///runs.db")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SEARCH)
    return tmp_path


def trials():
    database = open_database("sqlite:///runs.db")
    found = database.study("toy").trials()
    database.close()
    return found


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (MemoryError("cannot allocate"), "MemoryError: cannot allocate"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_machine_that_fails_in_one_trial(monkeypatch, error, reason):
    def train(job, device, on_epoch):
        del device
        if job.number == 1:
            raise error
        for epoch in range(1, job.epochs + 1):
            on_epoch(Epoch(epoch, 1.0, 10.0, 1.0, 10.0, 0.1, 0.1))
        return JobEnd("completed")

    monkeypatch.setattr(job_module, "train", train)
    answer = run_here(*COMMAND)
    check_clear(answer, ["1 trial of toy failed; toy/1", reason, "kept"], code=1)
    assert "2 complete, 1 failed" in answer.out
    assert [trial.state for trial in trials()] == ["complete", "fail", "complete"]
    assert trials()[1].failure_reason == reason
    assert run_here(*COMMAND).code == 1  # the same answer from the records alone


@pytest.mark.usefixtures("folder")
def test_a_training_that_diverges_is_a_result(monkeypatch):
    def train(job, device, on_epoch):
        del device
        if job.number == 1:
            on_epoch(Epoch(1, float("nan"), 90.0, float("nan"), 90.0, 0.1, 0.1))
            return JobEnd("diverged", "val_loss is nan at epoch 1")
        for epoch in range(1, job.epochs + 1):
            on_epoch(Epoch(epoch, 1.0, 10.0, 1.0, 10.0, 0.1, 0.1))
        return JobEnd("completed")

    monkeypatch.setattr(job_module, "train", train)
    answer = run_here(*COMMAND)
    assert answer.code == 0, answer.err
    assert [trial.state for trial in trials()] == ["complete", "fail", "complete"]


@pytest.fixture
def small_disk(tmp_path):
    """Return a disk of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk):
    with (disk / "rest").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_disk_that_is_full_before_the_start(small_disk):
    (small_disk / "s.yaml").write_text(SEARCH)
    fill(small_disk)
    before = tree(small_disk)
    answer = run_apart(small_disk, COMMAND)
    check_clear(answer, ["sqlite:///runs.db", "free some disk space"])
    assert tree(small_disk) == before


@pytest.mark.slow
def test_a_file_size_limit_that_stops_one_trial(folder):
    """A checkpoint larger than the limit fails its trial; the smaller networks are kept."""
    text = SEARCH.replace("[4, 8, 12]", "[4, 192, 8]")
    (folder / "s.yaml").write_text(text)
    limit = 2 << 20
    answer = run_apart(
        folder,
        COMMAND,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    check_clear(answer, ["1 trial of toy failed; toy/1"], code=1)
    assert [trial.state for trial in trials()] == ["complete", "fail", "complete"]


@pytest.mark.slow
def test_a_trial_that_no_longer_fits_on_the_disk(small_disk):
    (small_disk / "s.yaml").write_text(SEARCH.replace("[4, 8, 12]", "[4, 192, 8]"))
    answer = run_apart(small_disk, COMMAND)
    check_clear(answer, ["1 trial of toy failed; toy/1", "No space left on device"], code=1)
    assert "toy          3 trials: 2 complete, 1 failed" in answer.out


@pytest.mark.slow
def test_a_disk_that_another_program_fills_during_the_run(small_disk, monkeypatch):
    """Nothing that finished is lost, and with room again the same command ends the study."""
    monkeypatch.chdir(small_disk)
    (small_disk / "s.yaml").write_text(SEARCH)
    command = [sys.executable, "-c", START, *COMMAND]
    with subprocess.Popen(
        command, cwd=small_disk, env=clean_environment(), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stderr is not None
        said = ""
        while "1/3" not in said:
            line = run.stderr.readline()
            assert line, said
            said += line
        fill(small_disk)
        out, err = run.communicate(timeout=60)
    assert out == ""
    assert err.startswith("error: the run stopped: sqlite:///runs.db cannot be used: "), said + err
    assert "the same command goes on" in err
    assert len(err.splitlines()) == 1
    assert run.returncode in {1, 2}
    (small_disk / "rest").unlink()
    answer = run_apart(small_disk, COMMAND)
    assert answer.code == 0, answer.err
    assert "1 of 3 trials done before" in answer.err
    assert [trial.state for trial in trials()] == ["complete"] * 3
