"""Ablations from the command line: planned, refused, run, read again."""

import json
from pathlib import Path

import pytest

from nasablate.cli.main import main

STUDY = """\
kind: ablation
name: tiny
baseline:
  kind: genome
  stem: {kind: conv3x3, width: 4}
  stages: [{units: 1, stride: 2}]
  width: 4
factors:
  width: {'4': {}, '6': {width: 6}}
  act: {relu: {}, silu: {activation: silu}}
design: factorial
seeds: 2
training: {recipe: quick, epochs: 1, batch_size: 128}
data: {name: digits, subset: 200}
reported:
  - {arm: {act: silu}, value: 50, n: 3, source: "a paper, Table 1", protocol: {data: cifar10}}
"""
REFUSAL = (
    "error: tiny.yaml:12:1: seeds = 2: cannot give a verdict of better or worse, whatever comes "
    "out; 7 can; raise seeds to 7, or accept it with --anyway or accept_undecided: true\n"
)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(STUDY)
    return "tiny.yaml"


def test_a_plan_of_too_few_seeds_is_shown_and_refused(
    study: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", study) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("ablation tiny\n")
    assert "4 arms x 2 seeds = 8 trainings of 1 epoch\n" in captured.out
    assert "on this machine" in captured.out
    assert captured.err == REFUSAL
    assert run("plan", study, "--json") == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["refused"].startswith("seeds = 2: cannot")
    assert run("plan", study, "--anyway", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["refused"] is None
    assert [len(found["arms"]) for found in document["cost"]["classes"]] == [2, 2]
    assert document["hours"] > 0
    assert document["disk_bytes"] > 0


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("studies/pyramidnet-blocks/paper.yaml", "7 can survive Holm over 3 arms"),
        ("studies/resnext-cardinality/paper.yaml", "8 can survive Holm over 6 arms"),
        ("studies/deletion-resnet-pyramidnet/paper.yaml", "811 evaluations each"),
        ("search_spaces/cifar10_small.yaml", "networks     21 distinct"),
    ],
)
def test_without_its_data_set_a_study_is_planned_all_the_same(
    file: str,
    shown: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(Path(file).resolve())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path))
    assert run("plan", path) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert " ".join(shown.split()) in out
    assert "time not measured, and the counts of images are the published ones, since data" in out
    assert "nasablate data fetch cifar10" in out or "train-*.parquet" in out
    assert run("plan", path, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["hours"] is None
    assert document["data"]["fingerprint"] is None
    assert document["data"]["missing"].startswith("data ")


def test_an_ablation_of_too_few_seeds_is_not_begun(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ablate", study, "--runner", "inline") == 2
    assert capsys.readouterr().err.endswith(REFUSAL)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


@pytest.mark.slow
def test_an_ablation_that_is_run_anyway_and_read_again(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("ablate", study, "--runner", "inline", "--anyway") == 0
    out = capsys.readouterr().out
    assert "undecided by design: 2 seeds cannot reach it with 3 arms, 7 can" in out
    assert "effects in percentage points, blocked by seed, of arms:" in out
    assert "width=6: also differs in: params +" in out
    assert "protocol differs: data.name cifar10, here digits; data.subset none, here 200" in out
    # accepted in the file or on the command line, it is one study
    (tmp_path / study).write_text(f"{STUDY}accept_undecided: true\npilot: {{sd: 1}}\n")
    assert run("ablate", study, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["complete"]
    assert [effect["name"] for effect in document["effects"][0]["effects"]] == [
        "width", "act", "width:act",
    ]  # fmt: skip
    assert {found["arm"] for found in document["images"]} == {
        "act=silu", "width=6", "width=6, act=silu",
    }  # fmt: skip
    assert document["reported"][0]["measured_arm"] == "act=silu"
    # its records are the pilot of the next one
    assert run("export-study", "tiny", "--to", "pilot.csv") == 0
    (tmp_path / "next.yaml").write_text(
        STUDY.replace("name: tiny", "name: next", 1).replace("seeds: 2", "seeds: 8")
        + "pilot: pilot.csv\n"
    )
    capsys.readouterr()
    assert run("plan", "next.yaml", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["noise"]["freedom"] == 1
    assert document["detectable"][0]["low"] < document["detectable"][0]["difference"]
