import json
import struct
from pathlib import Path

import pytest

from nasablate.errors import SpecError
from nasablate.genome import (
    SearchSpec,
    load_deletion,
    load_genome,
    load_genome_text,
    load_recipe,
    load_search,
    recipe_presets,
)

SEARCH = """\
kind: search
name: try
base: resnet-20
axes:
  unit.kind: {choice: [basic, bottleneck]}
training: {recipe: quick, epochs: 3}
data: digits
trials: 4
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="space.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_file


def message_of(call, *args):
    with pytest.raises(SpecError) as caught:
        call(*args)
    return str(caught.value)


def test_a_search_file_comes_back_whole(write):
    spec = load_search(write(SEARCH))
    assert spec.base == load_genome("resnet-20").document()
    assert load_recipe(spec.training).epochs == 3
    assert spec.data.name == "digits"
    assert SearchSpec.parse(spec.document()) == spec


def test_a_base_file_is_found_beside_the_search_file(write, monkeypatch):
    write(json.dumps(load_genome("resnet-20").document()), "mine.yaml")
    path = write(SEARCH.replace("resnet-20", "mine.yaml"))
    monkeypatch.chdir(Path("/"))
    assert load_search(path).base == load_genome("resnet-20").document()


def test_a_recipe_keeps_what_is_not_replaced():
    quick = load_recipe("quick")
    changed = load_recipe({"recipe": "quick", "optimizer": {"lr": 0.0123}, "epochs": 2})
    assert changed.optimizer == quick.optimizer.model_copy(update={"lr": 0.0123})
    assert changed.epochs == 2
    assert changed.schedule == quick.schedule


def test_a_recipe_may_change_its_schedule_kind():
    changed = load_recipe({"recipe": "wrn-cifar", "schedule": {"kind": "cosine", "final": 0.1}})
    assert (changed.schedule.kind, changed.schedule.final) == ("cosine", 0.1)


def test_recipes_say_where_they_come_from():
    assert {"quick", "pyramidnet-cifar", "resnet-cifar", "wrn-cifar"} <= set(recipe_presets())
    assert all(load_recipe(name).source for name in recipe_presets())


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("trials: 4", "trails: 4", ["8:1: trails = 4: unknown key; did you mean 'trials'?"]),
        ("trials: 4", "trials: four", ["8:1: trials = 'four': must be a valid integer"]),
        ("trials: 4", "trials: 0", ["trials = 0: must be greater than or equal to 1"]),
        ("trials: 4", "trials: 4\ntrials: 5", ["9:1", "duplicate key"]),
        ("name: try", "name: a/b", ["2:1: name = 'a/b'"]),
        ("kind: search", "kind: genome", ["1:1: kind = 'genome'", "'nasablate describe'"]),
        ("kind: search", "knd: search", ["must say kind: search"]),
        ("choice: [basic, bottleneck]", "choice: []", ["5:15: axes.unit.kind.choice = []"]),
        ("choice: [basic, bottleneck]", "chioce: [basic]", ["axis is a mapping with choice"]),
        ("{choice: [basic, bottleneck]}", "3", ["an axis is a mapping"]),
        ("resnet-20", "resnt-20", ["3:1: base = 'resnt-20'", "did you mean 'resnet-20'?"]),
        ("resnet-20", "nowhere.yaml", ["base = 'nowhere.yaml': there is no such file"]),
        ("resnet-20", "{stages: [{units: 1, stirde: 2}]}", ["3:28: base.stages[0].stirde = 2"]),
        ("epochs: 3", "epoch: 3", ["training.epoch", "did you mean 'epochs'?"]),
        ("epochs: 3", "epochs: 0", ["6:27: training.epochs = 0"]),
        ("quick", "quik", ["training.recipe", "did you mean 'quick'?"]),
        ("data: digits", "data: 5", ["data = 5"]),
        ("trials: 4", "trials: 4\nconstraints: {params: {max: 4.0Q}}", ["max = '4.0Q'", "4.0M"]),
        ("trials: 4", "trials: 4\nconstraints: {params: {}}", ["a limit needs min or max"]),
        ("trials: 4", "trials: 4\nconstraints: {params: {min: 5, max: 4}}", ["impossible"]),
        ("trials: 4", "trials: 4\nconstraints: {parms: {max: 4}}", ["did you mean 'params'?"]),
        ("trials: 4", "trials: 4\nobjectives: {val_error: down}", ["objectives.val_error"]),
        ("trials: 4", "trials: 4\nobjectives: {}", ["objectives = {}: needs at least 1"]),
        ("trials: 4", "trials: 4\nscheduler: {name: asha}", ["scheduler.name = 'asha'"]),
        ("trials: 4", "trials: 4\nsampler: {name: tp}", ["sampler.name", "did you mean 'tpe'?"]),
        (
            "trials: 4",
            "trials: 4\nscheduler: {name: halving}\n"
            "objectives: {val_error: minimize, params: minimize}",
            ["scheduler needs a single objective"],
        ),
        ("trials: 4", "trials: .inf", ["trials = inf: must be a finite number"]),
        ("trials: 4", "trials: 2020-01-01", ["must be plain data, not a date"]),
        ("trials: 4", "1: 4", ["a key must be text"]),
    ],
)  # fmt: skip
def test_a_mistake_in_a_search_file_names_the_place(write, old, new, messages):
    assert old in SEARCH
    path = write(SEARCH.replace(old, new))
    text = message_of(load_search, path)
    assert str(path) in text
    for message in messages:
        assert message in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a mapping of keys to values, found nothing"),
        (b"- a\n- b\n", "must be a mapping of keys to values, found list"),
        (b"name: [\n", "is not valid YAML"),
        (b"a: b: c\n", "is not valid YAML"),
        (b"\tname: x\n", "is not valid YAML"),
        (b"name: !!python/object/apply:os.system [ls]\n", ":1:7: has an unsafe or unknown YAML"),
        (b"name: !custom 3\n", "has an unsafe or unknown YAML tag"),
        (b"name: \xff\xfe\n", "is not UTF-8 text (byte 6)"),
        (b"\x00\x01\x02", "is not valid YAML"),
        (b"a: &a [*a]\n", "drop aliases"),
        (
            b"a: &a [1,1,1,1,1,1,1,1,1]\n"
            + b"".join(
                f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n".encode()
                for old, new in zip("abcdefg", "bcdefgh", strict=True)
            ),
            "drop aliases",
        ),
        (b"x: " + b"9" * 1_000_001, "is larger than"),
        (b"[" * 5000, "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_plain_yaml(write, content, message):
    assert message in message_of(load_search, write(content))


def test_a_missing_file_and_a_folder(tmp_path):
    assert "cannot be read (no such file" in message_of(load_search, tmp_path / "none.yaml")
    assert "cannot be read (is a directory)" in message_of(load_search, tmp_path)


def test_genome_text_is_located_by_the_name_given():
    text = "kind: genome\nstages: [{units: 1}]\nwidht: 3\n"
    assert "<stdin>:3:1: widht = 3" in message_of(load_genome_text, text, "<stdin>")


def test_an_unknown_preset_names_the_nearest():
    assert "did you mean 'pyramidnet-110-a48'?" in message_of(load_genome, "pyramidnet-110-a488")


def weights_file(path, metadata):
    """Write a safetensors file with one number in it."""
    header = {"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": metadata}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * 4)
    return path


def test_a_file_of_weights_stands_for_the_genome_in_it(tmp_path):
    genome = load_genome("resnet-20")
    file = weights_file(tmp_path / "w0.safetensors", {"genome": genome.canonical_json()})
    assert load_genome(str(file)) == genome
    assert load_genome(file.name, relative_to=tmp_path) == genome
    study = tmp_path / "delete.yaml"
    study.write_text(
        "kind: deletion\nname: try\ndata: digits\n"
        "networks: {mine: {genome: w0.safetensors, weights: [w0.safetensors]}}\n"
    )
    assert load_deletion(study).networks["mine"].genome == genome.document()


def test_files_of_weights_that_cannot_stand_for_a_genome(tmp_path):
    others = weights_file(tmp_path / "others.safetensors", {"format": "pt"})
    assert "holds weights without a genome" in message_of(load_genome, str(others))
    assert "is a file of weights, not YAML; name it where" in message_of(load_search, others)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(others.read_bytes()[:8] + b"{" + b"x" * 200)
    assert "is no whole safetensors file" in message_of(load_genome, str(damaged))
