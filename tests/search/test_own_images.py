"""Searches and studies of a user's own folder: images of all sizes and colours, no test part."""

import pytest
from PIL import Image

from nasablate.search.run import run_search
from tests.badinput.command import check_clear, run_here, tree
from tests.data.making import noise
from tests.search.toy_search import toy_search, toy_spec

SEARCH = """\
kind: search
name: pets
base: {stages: [{units: 1}], width: 4}
axes: {width: {choice: [4, 8]}}
training: {recipe: quick, epochs: 1}
data: {name: folder:pets, size: 8}
trials: 2
resources: {gpus_per_trial: 0}
confirm: {top: 1, seeds: 2}
"""
ABLATION = """\
kind: ablation
name: judged
baseline: {stages: [{units: 1}], width: 4}
factors: {width: {as_is: {}, wider: {width: 8}}}
design: one_at_a_time
seeds: 6
evaluate: test
training: {recipe: quick, epochs: 1}
data: {name: folder:pets, size: 8}
"""
DELETION = """\
kind: deletion
name: judged
networks: {small: {base: {stages: [{units: 2}], width: 4}}}
seeds: 2
evaluate: test
delete: {each: true}
training: {recipe: quick, epochs: 1}
data: {name: folder:pets, size: 8}
"""
RUN = ("search", "s.yaml", "--runner", "inline")


def pictures(folder, seed, count=8):
    """Write colour and grey pictures of several sizes and formats, two classes."""
    shapes = [(9, 14, 3), (16, 16), (20, 8, 3), (8, 11)]
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = noise(100 * seed + 10 * number + index, shapes[index % len(shapes)])
            suffix = ("png", "jpg", "webp")[index % 3]
            Image.fromarray(pixels).save(folder / name / f"{index}.{suffix}")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASABLATE_STORAGE", raising=False)
    monkeypatch.setenv("NASABLATE_TOY_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("NASABLATE_DATA_CACHE", "0")
    pictures(tmp_path / "pets", seed=0)
    return tmp_path


def add_test_part(folder):
    (folder / "train").mkdir()
    for name in ("cat", "dog"):
        (folder / "pets" / name).rename(folder / "train" / name)
    (folder / "train").rename(folder / "pets" / "train")
    pictures(folder / "pets" / "test", seed=1, count=2)


def test_a_winner_without_a_test_part_is_confirmed_and_tested_when_there_is_one(folder):
    url = f"sqlite:///{folder}/toy.db"
    spec = toy_spec(confirm={"top": 2, "seeds": 2}, data={"name": "folder:pets", "size": 8})
    result = toy_search(url, spec)
    assert result.winner is not None
    assert result.winner.val_error.n == 2
    assert result.test_error is None
    assert any("read: folder:pets has no test part" in note for note in result.notes)
    assert run_search(spec, url) == result  # finished: nothing is loaded but the folder's list
    add_test_part(folder)
    tested = toy_search(url, spec)
    assert tested.winner == result.winner
    assert tested.test_error.n == 2
    assert tested.notes == ()
    (folder / "pets").rename(folder / "gone")
    assert run_search(spec, url) == tested


@pytest.mark.slow
def test_a_folder_of_mixed_images_searches_end_to_end(folder):
    (folder / "s.yaml").write_text(SEARCH)
    plan = run_here("plan", "s.yaml")
    assert plan.code == 0, plan.err
    assert "14 training and 2 validation images, 3 x 8 x 8, 2 classes" in plan.out
    assert "warning: folder:pets has no test part" in plan.out
    answer = run_here(*RUN)
    assert answer.code == 0, answer.err
    assert "folder:pets has no test part: no test error will be read" in answer.err
    assert "2 trials: 2 complete" in answer.out
    assert "n = 2 fresh seeds" in answer.out
    assert "test error cannot be read" in answer.out
    again = run_here(*RUN)
    assert (again.code, again.out) == (0, answer.out)
    add_test_part(folder)
    tested = run_here(*RUN)
    assert tested.code == 0, tested.err
    assert "n = 2 networks trained), 4 images each, read once" in tested.out
    assert "no test part" not in tested.out + tested.err


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (ABLATION, ("plan", "s.yaml")),
        (ABLATION, ("ablate", "s.yaml", "--runner", "inline")),
        (DELETION, ("plan", "s.yaml")),
        (DELETION, ("delete-units", "s.yaml", "--runner", "inline")),
    ],
    ids=lambda given: given[0] if isinstance(given, tuple) else given.split()[1],
)
def test_a_study_judged_by_a_test_part_that_is_not_there_trains_nothing(folder, text, command):
    (folder / "s.yaml").write_text(text)
    before = tree(folder)
    check_clear(
        run_here(*command),
        ["s.yaml:", "evaluate = 'test': folder:pets has no test part; write evaluate: validation"],
    )
    assert tree(folder) == before


def test_a_test_folder_beside_classes_is_no_class(folder):
    pictures(folder / "pets" / "test", seed=1, count=2)
    check_clear(
        run_here("data", "check", "folder:pets", "--size", "8"),
        ["pets/test: stands beside folders of classes", "move those into a folder 'train'"],
    )
