"""``nasablate report``: its forms, its files and what it refuses."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from nasablate.cli.main import main
from tests.report.pages import check_page
from tests.report.studies import Fate, Plan, make_ablation, make_search


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    fates = {("bn=with", 2): Fate("running", 1)}
    return make_ablation(tmp_path_factory.mktemp("ablation"), Plan(fates=fates))


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    return make_search(tmp_path_factory.mktemp("search"))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(url, *arguments):
        with pytest.raises(SystemExit) as end:
            main(["report", *arguments, "--storage", url])
        captured = capsys.readouterr()
        return end.value.code or 0, captured.out, captured.err

    return call


def test_text_is_the_default_and_says_the_answer_first(run, ablation):
    code, out, err = run(ablation, "try")
    assert (code, err) == (0, "")
    assert out.startswith("Worse than baseline: 'relu=remove'; equivalent")
    assert out == run(ablation, "try", "--text")[1]
    for part in ("27 of 28 replicates", "Holm p", "running, 1 of 2 epochs"):
        assert part in out


def test_text_has_small_figures_of_every_kind(run, ablation, search):
    out = run(ablation, "try")[1]
    assert "difference of validation error from baseline" in out
    assert "●" in out
    assert "Validation error by epoch" in out
    assert "The course of the search" in run(search, "hunt")[1]


def test_json_and_csv(run, ablation, search):
    found = json.loads(run(ablation, "try", "--json")[1])
    assert (found["kind"], len(found["missing"])) == ("ablation", 1)
    assert len(list(csv.reader(io.StringIO(run(ablation, "try", "--csv")[1])))) == 5
    assert json.loads(run(search, "hunt", "--json")[1])["winner"] == 2
    assert len(list(csv.reader(io.StringIO(run(search, "hunt", "--csv")[1])))) == 5
    assert run(search, "hunt")[1].startswith("Trial 2 (width=16) wins")


def test_files(run, ablation, tmp_path):
    code, out, _ = run(ablation, "try", "--html", "a.html", "--svg", "a.svg")
    assert (code, out) == (0, "wrote a.html\nwrote a.svg\n")
    check_page((tmp_path / "a.html").read_text())
    assert ET.parse(tmp_path / "a.svg").getroot().get("role") == "img"
    for figure in ("effects", "interaction"):
        assert run(ablation, "try", "--svg", f"{figure}.svg", "--figure", figure)[0] == 0
        ET.parse(tmp_path / f"{figure}.svg")


def test_a_file_beside_json_leaves_stdout_to_the_json(run, ablation, search):
    code, out, err = run(ablation, "try", "--html", "a.html", "--json")
    assert (code, err) == (0, "wrote a.html\n")
    json.loads(out)
    assert run(search, "hunt", "--html", "s.html")[1] == "wrote s.html\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tri"], "it has: try"),
        (["try", "--html", "no/such/folder/a.html"], "its folder does not exist"),
        (["try", "--html", "a.pdf"], "must end in .html"),
        (["try", "--html", "folder.html"], "is no regular file"),
        (["try", "--svg", "a.png"], "must end in .svg"),
        (["try", "--json", "--csv"], "--json and --csv do not go together"),
        (["try", "--figure", "forest"], "add --svg FILE.svg"),
        (["try", "--svg", "a.svg", "--figure", "steps"], "has no figure steps; it has forest"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_one_clear_error(run, ablation, tmp_path, arguments, words):
    (tmp_path / "folder.html").mkdir()
    code, out, err = run(ablation, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert words in err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_other_kinds_of_study(run, search):
    code, _, err = run(search, "hunt.confirm")
    assert code == 2
    assert "'nasablate report hunt'" in err
    assert run(search, "hunt", "--svg", "a.svg")[0] == 0
    code, _, err = run(search, "hunt", "--svg", "a.svg", "--figure", "forest")
    assert code == 2
    assert "has no figure forest; it has front, history" in err


def test_it_needs_neither_torch_nor_the_data(run, ablation, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    monkeypatch.setattr("nasablate.data.load_info", None)
    assert run(ablation, "try", "--html", "a.html")[0] == 0
