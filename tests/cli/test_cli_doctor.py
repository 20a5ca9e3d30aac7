import json

import pytest

from nasablate.cli.main import main


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


@pytest.mark.ray
@pytest.mark.slow
def test_ray_starts_and_stops(capsys, tmp_path):
    code, output = run(capsys, "doctor", "--storage", f"sqlite:///{tmp_path}/x.db")
    assert code == 0
    assert "started and stopped in" in output.out
