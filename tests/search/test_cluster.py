"""Searches on a Ray cluster that was there before, and what its nodes are asked."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from nasablate.data import load_info
from nasablate.errors import InputError
from nasablate.genome.data_spec import DataSpec
from nasablate.genome.space import Resources
from nasablate.search import node
from nasablate.search.engine import make_runner
from nasablate.search.node import Question
from nasablate.search.observer import SilentObserver
from nasablate.store import open_database
from tests.badinput.command import clean_environment, run_apart

SEARCH = """\
kind: search
name: far
base: {stages: [{units: 1}], width: 4}
axes: {width: {choice: [4, 6]}}
sampler: {name: grid}
training: {recipe: quick, epochs: 25}
data: digits
trials: 2
resources: {gpus_per_trial: 0}
"""
DATA = DataSpec(name="digits")


def study(folder: Path):
    database = open_database(f"sqlite:///{folder}/runs/nasablate.db")
    found = database.study("far")
    trials, curves = found.trials(), found.curves()
    database.close()
    return trials, curves


def may_have_own_network() -> bool:
    tools = all(map(shutil.which, ("unshare", "ip")))
    return tools and not subprocess.run(["unshare", "--net", "true"], check=False).returncode


@pytest.mark.ray
@pytest.mark.slow
def test_a_search_outlives_a_node_and_has_the_numbers_of_one_machine(tmp_path):
    if not may_have_own_network():
        pytest.skip("only root can make a network for two nodes")
    far, here = tmp_path / "far", tmp_path / "here"
    for folder in (far, here):
        folder.mkdir()
        (folder / "s.yaml").write_text(SEARCH)
    program = ["unshare", "--net", sys.executable, "-m", "tests.search.two_nodes", str(far)]
    done = subprocess.run(
        program, env=clean_environment(), timeout=400, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert run_apart(here, ["search", "s.yaml", "--runner", "inline"]).code == 0
    trials, curves = study(far)
    assert [trial.state for trial in trials] == ["complete"] * 2
    assert sorted(trial.attributes.get("deaths", 0) for trial in trials) == [0, 1]
    wanted = study(here)[1]
    for number, curve in curves.items():
        assert len(curve) == len(wanted[number]) == 25
        assert all(map(type(curve[0]).same_result, curve, wanted[number]))


def test_a_cluster_is_of_no_use_to_one_process():
    with pytest.raises(InputError, match="--address auto is of no use to --runner inline; drop"):
        make_runner(Resources(), "inline", SilentObserver(), "auto")


@pytest.fixture
def question(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "word").write_text("word")
    fingerprint = load_info(DATA).fingerprint
    data = DATA.canonical_json()
    return Question(str(tmp_path), str(tmp_path), "word", data, fingerprint, node.versions())


def test_a_node_that_has_everything_says_nothing(question):
    assert node.look(question.to_json()) == ""


def test_relative_paths_count_from_the_drivers_folder(question, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    data = DataSpec(name="npz:mine.npz").canonical_json()
    said = node.look(replace(question, data=data).to_json())
    assert said.startswith("lacks the data: ")
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"word": "another"}, "cannot write to the driver's folder "),
        ({"folder": "/none"}, "cannot write to the driver's folder /none; start the command in a"),
        ({"fingerprint": "0"}, "has other images for data digits than the driver; copy the"),
        ({"versions": {"nasablate": "0.0"}}, ", the driver 0.0; install the same there"),
        ({"data": json.dumps({"name": "folder:none"})}, "lacks the data: data folder:none: no"),
    ],
)
def test_what_a_node_lacks(question, changes, said):
    assert said in node.look(replace(question, **changes).to_json())


def test_builds_for_other_hardware_are_one_version(monkeypatch):
    monkeypatch.setattr(node, "version", {"nasablate": "0.1", "torch": "2.13.0+cpu"}.get)
    assert node.versions() == {"nasablate": "0.1", "torch": "2.13.0"}
    assert metadata.version("torch").startswith("2.")
