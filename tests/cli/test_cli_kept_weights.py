"""``export STUDY/NUMBER`` takes weights that a trial or its confirmation kept, and says whose."""

import json
from pathlib import Path

import pytest
import torch
from optuna.distributions import IntDistribution

import nasablate
from nasablate.genome import load_genome
from nasablate.store import Epoch, NewTrial, TestReading, now, open_database
from tests.badinput.command import check_clear, run_here
from tests.cli.test_cli_weights import TINY
from tests.nets.small_networks import random_net

SEEDS = (1001, 1002, 1003)
VAL_ERRORS = {0: (9.0, 7.0, 8.0), 1: (6.0, 6.0, 5.5)}
"""Of the trials that were confirmed, by fresh seed."""
TEST_ERRORS = (1.0, 30.0, 20.0)
"""The other way round, so that who chose by them would choose another."""


def make_search(folder: Path, *, confirmed: bool = True) -> None:
    """Make a search of three trials, two of them confirmed on three seeds, with random weights."""
    (folder / "runs").mkdir()
    database = open_database("sqlite:///runs/nasablate.db")
    known = {"kind": "search", "spec": "{}"}
    study = database.create("tiny", {"val_error": "minimize"}, known)
    own = {"genome": TINY.canonical_json(), "params": 1, "macs": 1, "seed": 0}
    for _ in range(3):
        number = study.create_trial(NewTrial({}, {}, own))
        study.finish_trial(number, "complete", (10.0,), {})
    weights = random_net(TINY).state_dict()
    if confirmed:
        study = database.create("tiny.confirm", {"val_error": "minimize"}, known)
        for replicate, seed in enumerate(SEEDS):
            for candidate, errors in VAL_ERRORS.items():
                params = {"candidate": candidate, "replicate": replicate}
                kinds = {name: IntDistribution(0, 9) for name in params}
                attributes = {**own, **params, "seed": seed}
                number = study.create_trial(NewTrial(params, kinds, attributes))
                error = errors[replicate]
                study.add_epoch(number, Epoch(1, 1.0, 50.0, 1.0, error, 0.1, 1.0))
                study.finish_trial(number, "complete", (error,), {})
                study.trial_folder(number).mkdir(parents=True)
                torch.save({n: v + number for n, v in weights.items()}, weights_of(number))
                test = TEST_ERRORS[replicate]
                study.add_test_reading(
                    TestReading("tiny.confirm", number, "made up", test, 1.0, 8, b"\0", now())
                )
    database.close()


def weights_of(number: int) -> Path:
    return Path("runs", "tiny.confirm", "trials", f"{number:05d}", "weights.pt")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(name: str, number: int) -> str:
    """Export a trial; check that it has the weights of a confirmation, and return what was said."""
    answer = run_here("export", name, "--to", "a.safetensors")
    assert answer.code == 0, answer.err
    wanted = torch.load(weights_of(number), weights_only=True)
    found = nasablate.load_network("a.safetensors").state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    return answer.out


def test_a_confirmed_trial_has_its_best_confirmations_weights(here: Path) -> None:
    make_search(here)
    said = exported("tiny/0", 2)  # the second seed of the first candidate
    assert "tiny/0 kept no weights; these are of tiny.confirm/2" in said
    assert "fresh seed 1002" in said
    assert "of 3 confirmations the one with the lowest validation error, 7.00 %" in said
    assert "tiny.confirm/5" in exported("tiny/1", 5)
    assert "kept no weights" not in exported("tiny.confirm/0", 0)


def test_equal_confirmations_give_the_earlier_one_and_lost_files_the_next_best(here: Path) -> None:
    make_search(here)
    weights_of(5).unlink()
    assert "of 2 confirmations" in exported("tiny/1", 1)


def test_a_trial_without_any_weights_says_what_can_be_done(here: Path) -> None:
    make_search(here)
    for name in ("a.safetensors", "a.onnx"):
        answer = run_here("export", "tiny/2", "--to", name)
        check_clear(answer, ["the confirmed ones are tiny/0, tiny/1", "trials tiny/2 --genome"])
    for number in (0, 2, 4):
        weights_of(number).unlink()
    answer = run_here("export", "tiny/0", "--to", "a.safetensors")
    check_clear(answer, ["the trial kept no weights, nor did tiny.confirm", "--keep"])
    assert not list(here.glob("a.*"))
    assert run_here("export", "tiny/0", "--seed", "0", "--to", "a.safetensors").code == 0


def test_an_unconfirmed_search_names_the_genome_and_the_training(here: Path) -> None:
    make_search(here, confirmed=False)
    check_clear(run_here("export", "tiny/0", "--to", "a.py"), ["confirm: in a search", "--keep"])
    answer = run_here("trials", "tiny/0", "--genome")
    assert answer.code == 0, answer.err
    (here / "again.yaml").write_text(answer.out)
    assert load_genome("again.yaml") == TINY
    check_clear(run_here("trials", "tiny", "--genome"), ["--genome prints one trial"])
    check_clear(run_here("trials", "tiny/0", "--genome", "--json"), ["--genome prints one trial"])
    assert json.loads(run_here("trials", "tiny/0", "--json").out)["genome"] == TINY.document()
