"""Searching from the command line, and reading what a search left."""

import json
from pathlib import Path

import pytest

from nasablate.cli.main import main

SPACE = """\
kind: search
name: tiny
base:
  kind: genome
  stem: {kind: conv3x3, width: 4}
  stages: [{units: 1, stride: 2}]
  width: 4
  shortcut: {kind: projection}
axes:
  unit.kind: {choice: [basic, bottleneck]}
training: {recipe: quick, epochs: 2}
data: {name: digits, subset: 200}
trials: 2
record: {every_steps: 2}
confirm: {top: 1, seeds: 2}
"""


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    capsys.readouterr()
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(SPACE)
    return "tiny.yaml"


@pytest.mark.slow
def test_search_and_what_can_be_read_after_it(
    space: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("search", space, "--runner", "inline") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("tiny         2 trials: 2 complete\n")
    assert "n = 2 fresh seeds" in captured.out
    assert captured.out.count("test error ") == 1
    assert "sqlite:///runs/nasablate.db" in captured.out
    label, command = captured.out.splitlines()[-1].split("  ", 1)
    assert label == "take it out"
    assert run(*command.split()[1:]) == 0
    said = capsys.readouterr().out
    assert "gives the network back" in said
    assert "lowest validation error" in said
    assert "2/2  trial 1  complete after 2 epochs" in captured.err

    studies = {study["name"]: study for study in run_json(capsys, "studies")}
    assert studies["tiny"]["states"]["complete"] == 2
    assert studies["tiny.confirm"]["trials"] == 2

    trials = run_json(capsys, "trials", "tiny")
    assert [trial["axes"]["unit.kind"] for trial in trials] == ["basic", "bottleneck"]
    trial = run_json(capsys, "trials", "tiny/0")
    assert trial == run_json(capsys, "trials", "tiny", "0")
    assert [epoch["epoch"] for epoch in trial["curve"]] == [1, 2]
    assert [[step["step"] for step in epoch["steps"]] for epoch in trial["curve"]] == [
        [2, 4, 5],
        [7, 9, 10],
    ]
    assert trial["curve"][0]["steps"][-1]["lr"] == trial["curve"][0]["lr"]
    assert trial["objectives"] == {"val_error": trial["curve"][-1]["val_error"]}

    study = run_json(capsys, "studies", "tiny.confirm")
    assert len(study["test_readings"]) == 2
    for arguments in (["studies"], ["studies", "tiny"], ["trials", "tiny"], ["trials", "tiny/0"]):
        capsys.readouterr()
        assert run(*arguments) == 0
        assert "tiny" in capsys.readouterr().out or arguments == ["trials", "tiny"]

    assert run("trials", "tiny/9") == 2
    assert run("trials", "tiny/x") == 2
    assert run("trials", "tinny") == 2

    file = Path(space)  # what is recorded may change, since no result depends on it
    file.write_text(file.read_text().replace("record: {every_steps: 2}\n", ""))
    monkeypatch.setattr("nasablate.search.engine.space_proposer", None)  # would be needed to train
    assert run("search", space) == 0
    assert "2 trials: 2 complete" in capsys.readouterr().out


@pytest.mark.slow
def test_changed_file_under_an_old_name_is_refused(
    space: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", space, "--runner", "inline") == 0
    Path(space).write_text(SPACE.replace("epochs: 2", "epochs: 3"))
    capsys.readouterr()
    assert run("search", space, "--runner", "inline") == 2
    captured = capsys.readouterr()
    assert "training.epochs: 2 -> 3" in captured.err
    assert captured.out == ""


def test_interrupted_search_says_how_to_go_on(
    space: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nasablate.search.run.run_search", interrupt)
    assert run("search", space) == 130
    captured = capsys.readouterr()
    assert "the same command goes on" in captured.err
    assert captured.out == ""
