import json

import pytest

from nasablate.cli.main import main
from nasablate.genome import load_ablation, load_deletion, load_search


@pytest.fixture(autouse=True)
def in_an_empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    with pytest.raises(SystemExit) as exited:
        main(["init", *arguments])
    return exited.value.code


@pytest.mark.parametrize("base", ["resnet-20", "pyramidnet-110-a48", "wrn-16-4"])
def test_a_starting_file_is_a_search_that_can_be_planned(capsys, tmp_path, base):
    assert run("search", "--name", "mine", "--base", base, "--data", "digits") == 0
    spec = load_search(tmp_path / "mine.yaml")
    assert (spec.name, spec.data.name, spec.trials) == ("mine", "digits", 16)
    assert json.loads((tmp_path / "search.schema.json").read_text())["title"] == "SearchSpec"
    capsys.readouterr()
    if base == "resnet-20":
        with pytest.raises(SystemExit) as exited:
            main(["plan", "mine.yaml", "--json"])
        assert exited.value.code == 0
        assert json.loads(capsys.readouterr().out)["num_cells"] == 36


@pytest.mark.parametrize("base", ["resnet-20", "pyramidnet-110-a48"])
def test_a_starting_ablation_can_be_planned(capsys, tmp_path, base):
    assert run("ablation", "--name", "mine", "--base", base) == 0
    assert load_ablation(tmp_path / "mine.yaml").seeds == 7
    schema = json.loads((tmp_path / "ablation.schema.json").read_text())
    assert schema["title"] == "AblationSpec"
    capsys.readouterr()
    if base == "resnet-20":
        with pytest.raises(SystemExit) as exited:
            main(["plan", "mine.yaml", "--json"])
        assert exited.value.code == 0
        document = json.loads(capsys.readouterr().out)
        assert [arm["name"] for arm in document["arms"]] == [
            "baseline", "activation=silu", "width=wider", "lr=tenth",
        ]  # fmt: skip
        assert document["warnings"] == []


def test_a_starting_deletion_can_be_planned(capsys, tmp_path):
    assert run("deletion", "--name", "mine", "--base", "resnet-20") == 0
    assert list(load_deletion(tmp_path / "mine.yaml").networks) == ["resnet-20"]
    schema = json.loads((tmp_path / "deletion.schema.json").read_text())
    assert schema["title"] == "DeletionSpec"
    capsys.readouterr()
    with pytest.raises(SystemExit) as exited:
        main(["plan", "mine.yaml", "--json"])
    assert exited.value.code == 0
    networks = json.loads(capsys.readouterr().out)["networks"]
    assert [network["name"] for network in networks] == ["resnet-20"]


def test_a_file_that_exists_is_left_alone(capsys, tmp_path):
    (tmp_path / "mine.yaml").write_text("precious")
    assert run("search", "--name", "mine") == 2
    assert "the file exists already; name another one with --out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
    assert (tmp_path / "mine.yaml").read_text() == "precious"


def test_an_unknown_base_writes_nothing(capsys, tmp_path):
    assert run("search", "--base", "resnt-20") == 2
    assert "did you mean 'resnet-20'?" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
