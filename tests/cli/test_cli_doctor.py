import json

import pytest

from nasablate.cli.main import main
from tests.data.making import class_folders


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as exited:
        main(list(arguments))
    return exited.value.code, capsys.readouterr()


def test_a_machine_that_runs_the_tests_is_fit_for_searches(capsys, tmp_path):
    url = f"sqlite:///{tmp_path}/runs/new.db"
    code, output = run(capsys, "doctor", "--no-ray", "--json", "--storage", url)
    document = json.loads(output.out)
    found = {finding["name"]: finding for finding in document["findings"]}
    assert (code, document["problems"]) == (0, 0)
    assert found["data digits"]["found"] == "1,438 training, 359 test images"
    assert "not made yet" in found["database"]["found"]
    assert not (tmp_path / "runs").exists()


def test_a_database_that_cannot_be_used_is_a_problem(capsys, tmp_path):
    file = tmp_path / "broken.db"
    file.write_text("no database at all " * 50)
    code, output = run(capsys, "doctor", "--no-ray", "--storage", f"sqlite:///{file}")
    assert code == 1
    assert "PROBLEM  database" in output.out
    assert file.read_text() == "no database at all " * 50


def test_data_that_a_study_needs_must_be_here(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path))
    own = f"sqlite:///{tmp_path}/x.db"
    text = "kind: search\nname: x\nbase: resnet-20\naxes: {width: {choice: [8]}}\ntrials: 1\n"
    (tmp_path / "x.yaml").write_text(f"{text}data: {{name: folder:{tmp_path}/pets, size: 8}}\n")
    command = ("doctor", "--no-ray", "--storage", own)
    for asked in (("--data", "cifar10"), ("x.yaml",)):
        code, output = run(capsys, *command, *asked)
        assert code == 1
        assert "PROBLEM  data" in output.out
    assert "correct the path after 'folder:'" in output.out
    class_folders(tmp_path / "pets")
    code, output = run(capsys, *command, "x.yaml")
    assert code == 0
    assert "12 training, 0 test images" in output.out
    assert run(capsys, *command, "none.yaml")[0] == 2


@pytest.mark.ray
@pytest.mark.slow
def test_ray_starts_and_stops(capsys, tmp_path):
    code, output = run(capsys, "doctor", "--storage", f"sqlite:///{tmp_path}/x.db")
    assert code == 0
    assert "started and stopped in" in output.out
