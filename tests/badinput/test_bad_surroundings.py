"""Odd terminals, locales, streams, names, clocks and folders around a good or a bad command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.badinput.command import (
    check_clear,
    clean_environment,
    run_apart,
    run_here,
    tree,
)

GENOME = "kind: genome\nname: caf\u00e9\nstages: [{units: 1}]\nwidth: 8\n"


@pytest.mark.parametrize("term", ["nosuch", "dumb", "", "\x1b[31m"])
def test_a_terminal_nobody_knows(tmp_path, term):
    assert run_apart(tmp_path, ["describe", "resnet-20"], {"TERM": term}).code == 0
    check_clear(run_apart(tmp_path, ["describe", "resnet-21"], {"TERM": term}), ["'resnet-21'"])


@pytest.mark.parametrize("locale", ["C", "POSIX", "nosuch.UTF-8"])
def test_a_locale_without_accents(tmp_path, locale):
    environment = {"LANG": locale, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    (tmp_path / "g.yaml").write_text(GENOME, encoding="utf-8")
    answer = run_apart(tmp_path, ["describe", "g.yaml"], environment)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("caf")
    (tmp_path / "b.yaml").write_text(GENOME.replace("width", "w\u00efdth"), encoding="utf-8")
    check_clear(
        run_apart(tmp_path, ["describe", "b.yaml"], environment), ["unknown key", "'width'"]
    )


@pytest.mark.parametrize("command", ["describe", "search", "plan"])
def test_file_names_that_are_no_text(tmp_path, command):
    name = b"caf\xe9.yaml"
    (tmp_path / os.fsdecode(name)).write_text("kind: poem\n")
    before = tree(tmp_path)
    check_clear(run_apart(tmp_path, [command, name]), ["caf", "kind = 'poem'", "write kind"])
    check_clear(run_apart(tmp_path, [command, b"no\xff.yaml"]), ["no", "no such file"])
    check_clear(run_apart(tmp_path, [command, "n" * 300]), ["nnn"])
    assert tree(tmp_path) == before


@pytest.mark.parametrize("place", ["/no/such/place", "file", "empty"])
@pytest.mark.parametrize("data", ["cifar10", "cifar10-jpeg", "cifar100"])
def test_a_data_folder_without_data(tmp_path, monkeypatch, place, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("NASABLATE_DATA", place)
    before = tree(tmp_path)
    answer = run_here("train", "resnet-20", "--data", data, "--epochs", "1")
    check_clear(answer, [data.partition("-")[0]])
    assert tree(tmp_path) == before


def test_standard_input_that_is_closed(tmp_path):
    answer = run_apart(tmp_path, ["describe", "-"], preexec_fn=lambda: os.close(0), stdin=None)
    check_clear(answer, ["<stdin>", "found nothing"])


def test_standard_input_that_is_no_text(tmp_path):
    (tmp_path / "x").write_bytes(b"name: \xff\xfe\n")
    with (tmp_path / "x").open("rb") as stdin:
        check_clear(run_apart(tmp_path, ["describe", "-"], stdin=stdin), ["<stdin>"])


@pytest.mark.parametrize("command", [["genomes"], ["describe", "resnet-1202", "--layers"]])
def test_a_reader_that_stops_reading(tmp_path, command):
    """``| head -1`` gets its line; nobody sees a traceback."""
    start = "from nasablate.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", start, *command],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        code = process.wait(timeout=60)
    assert "Traceback" not in errors
    assert "Exception ignored" not in errors
    assert "unexpected" not in errors
    assert code in {0, 1, 128 + signal.SIGPIPE, -signal.SIGPIPE}


def test_a_full_device_for_the_results(tmp_path):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from nasablate.cli.main import main; main()", "genomes"],
            cwd=tmp_path, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=full,
            stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert b"Traceback" not in done.stderr


def test_a_clock_set_back(tmp_path, monkeypatch):
    """The wall clock jumps back a day while a search runs; it ends as any other."""
    monkeypatch.chdir(tmp_path)
    from tests.search.toy_search import toy_search, toy_spec

    real, calls = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() - 3600 * next(calls))
    result = toy_search(f"sqlite:///{tmp_path}/toy.db", toy_spec(trials=3))
    assert result.counts["complete"] == 3
    assert run_here("trials", "toy", "--storage", f"sqlite:///{tmp_path}/toy.db").code == 0
