"""``export``, ``import-weights``, ``train --keep`` and ``--from``, and all they refuse."""

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import nasablate
from nasablate.blueprint import lower
from nasablate.cli.import_weights import _remedy
from nasablate.genome import Genome, load_genome
from nasablate.nets.matching import match, wanted_tensors
from nasablate.nets.network_file import save_network
from nasablate.nets.weight_files import WeightFile
from tests.badinput.command import check_clear, run_here, tree
from tests.nets.small_networks import images, random_net
from tests.nets.test_weight_files import Hostile, torch_bytes

DOCUMENT = {
    "name": "tiny",
    "input": {"channels": 1, "height": 8, "width": 8},
    "stem": {"kind": "conv3x3", "width": 4},
    "stages": [{"units": 1}, {"units": 2, "stride": 2}],
    "width": 4,
}
TINY = Genome.parse({"kind": "genome", **DOCUMENT})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Enter a folder with a genome, its weights, and a file that gives it back."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(json.dumps({"kind": "genome", **DOCUMENT}))
    net = random_net(TINY)
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    save_network(tmp_path / "net.safetensors", TINY, net.state_dict())
    return tmp_path


def other_names(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights under torchvision's names, without the counters."""
    found = torch.load(folder / "weights.pt", weights_only=True)
    names = (
        *(("stem.conv.", "conv1."), ("stem.post_bn.", "bn1."), ("head.fc.", "fc.")),
        *((f"stages.{stage}.", f"layer{stage + 1}.") for stage in (0, 1)),
        *((".between1_bn.", ".bn1."), (".post_bn.", ".bn2.")),
        *((".shortcut_conv.", ".downsample.0."), (".shortcut_bn.", ".downsample.1.")),
    )
    renamed: dict[str, torch.Tensor] = {}
    for name, value in found.items():
        other = name
        for mine, theirs in names:
            other = other.replace(mine, theirs)
        if not name.endswith("num_batches_tracked"):
            renamed[other] = value
    return renamed


def same_network(path: Path, folder: Path) -> bool:
    net = random_net(TINY)
    net.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    with torch.no_grad():
        return torch.equal(nasablate.load_network(path)(images(net)), net.eval()(images(net)))


def test_foreign_names_come_in_and_the_network_goes_out(folder: Path) -> None:
    save_file(other_names(folder), folder / "other.safetensors")
    answer = run_here("import-weights", "tiny.yaml", "other.safetensors")
    assert answer.code == 0, answer.err
    assert "tiny.safetensors: " in answer.out
    assert "read as torchvision-resnet" in answer.out
    assert same_network(folder / "tiny.safetensors", folder)
    answer = run_here("export", "tiny.safetensors", "--to", "again.py")
    assert answer.code == 0, answer.err
    assert load_file("again.safetensors").keys() == load_file("tiny.safetensors").keys()
    assert same_network(folder / "again.safetensors", folder)
    compile((folder / "again.py").read_text(), "again.py", "exec")


def test_a_partial_import_lists_what_is_new(folder: Path) -> None:
    weights = other_names(folder)
    del weights["fc.weight"]
    weights["fc.bias"] = torch.ones(3)
    weights["layer9.weight"] = torch.ones(2, 2)
    torch.save(weights, folder / "part.pt")
    before = tree(folder)
    answer = run_here("import-weights", "tiny.yaml", "part.pt")
    check_clear(answer, ["layer9.weight", "head.fc.weight", "fc.bias", "--partial"], lines=4)
    assert tree(folder) == before
    answer = run_here("import-weights", "tiny.yaml", "part.pt", "--partial")
    assert answer.code == 0, answer.err
    assert "drawn anew (seed 0): 1\n  head.fc.weight" in answer.out
    assert "of another shape, drawn anew: 1\n  fc.bias: has shape 3" in answer.out
    assert "in the file, not used: 1\n  layer9.weight" in answer.out
    options = ("--partial", "--only", "stem.*", "--to", "stem.safetensors", "--json")
    document = json.loads(run_here("import-weights", "tiny.yaml", "part.pt", *options).out)
    assert {name.partition(".")[0] for name in document["loaded"]} == {"stem"}
    assert nasablate.load_network("stem.safetensors").blueprint.output == (10,)


AUXILIARY = {"auxiliary": [{"stage": 0, "side": 2, "hidden": []}]}


def test_auxiliary_classifiers_alone_are_explained(folder: Path) -> None:
    genome = Genome.parse({"kind": "genome", **DOCUMENT, **AUXILIARY})
    (folder / "aux.yaml").write_text(json.dumps(genome.document()))
    torch.save(random_net(genome).state_dict(), folder / "aux.pt")
    answer = run_here("import-weights", "tiny.yaml", "aux.pt", "--to", "a.safetensors")
    names = sum(name.startswith("auxiliary.") for name in random_net(genome).state_dict())
    hint = "a genome with `auxiliary` has them, --partial leaves them out"
    check_clear(answer, [f"{names} names do not match; {hint}"], lines=names + 1)
    answer = run_here("import-weights", "aux.yaml", "weights.pt", "--to", "a.safetensors")
    hint = "a genome without `auxiliary` needs none, --partial draws them anew"
    check_clear(answer, [f"{names} names do not match; {hint}"], lines=names + 1)
    assert not (folder / "a.safetensors").exists()
    answer = run_here("import-weights", "tiny.yaml", "aux.pt", "--partial", "--to", "b.safetensors")
    assert "auxiliary.0.conv1.weight" in answer.out


def test_the_preset_with_auxiliary_classifiers_is_named() -> None:
    weights = {"auxiliary.0.fc.bias": torch.ones(10)}
    blueprint = lower(load_genome("googlenet-no-aux"))
    whole = {
        name: torch.zeros(value.shape, dtype=value.dtype)
        for name, value in wanted_tensors(blueprint).items()
        if name.startswith(("stages.0", "head"))
    }
    found = match(WeightFile(Path("w.pt"), whole | weights, {}), blueprint)
    assert "take what matches" in _remedy("googlenet-no-aux", found)
    only = replace(found, missing=())
    assert _remedy("googlenet-no-aux", only).startswith("the preset googlenet has them")


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["import-weights", "tiny.yaml", "no.pt"], ["no.pt", "no such file"]),
        (["import-weights", "tiny.yaml", "hostile.pt"], ["hostile.pt", "nothing in it was run"]),
        (["import-weights", "tiny.yaml", "cut.safetensors"], ["no whole safetensors file"]),
        (["import-weights", "lenet-5", "plain.safetensors"], ["none of its 1 tensors fits"]),
        (["import-weights", "tiny.yaml", "weights.pt", "--layout", "x"], ["--layout", "'x'"]),
        (["import-weights", "tiny.yaml", "weights.pt", "--only", "x"], ["needs --partial"]),
        (["import-weights", "tiny.yaml", "weights.pt", "--to", "net.safetensors"], ["exists"]),
        (["import-weights", "tiny.yaml", "weights.pt", "--to", "x.pt"], ["must end in"]),
        (["export", "tiny.yaml", "--to", "a.onnx"], ["no weights of its own", "--seed 0"]),
        (["export", "tiny.yaml", "--to", "a.pth"], ["--to", "must end in .safetensors or .pt2"]),
        (["export", "tiny.yaml", "--to", "no/a.py"], ["its folder does not exist"]),
        (["export", "tiny.yaml", "--weights", "hostile.pt", "--to", "a.pt2"], ["nothing in it"]),
        (["export", "tiny.yaml", "--weights", "cut.safetensors", "--to", "a.py"], ["no whole"]),
        (
            ["export", "tiny.yaml", "--weights", "weights.pt", "--seed", "1", "--to", "a.py"],
            ["exclude each other"],
        ),
        (["export", "plain.safetensors", "--to", "a.py"], ["no genome", "import-weights"]),
        (["export", "study/3", "--to", "a.py", "--storage", "sqlite:///no.db"], ["no database"]),
        (["train", "tiny.yaml", "--from", "no.pt"], ["no.pt", "no such file"]),
        (["train", "tiny.yaml", "--from", "hostile.pt"], ["nothing in it was run"]),
        (["train", "tiny.yaml", "--keep", "a.pt"], ["--keep", "must end in .safetensors"]),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    folder: Path, arguments: list[str], fragments: list[str]
) -> None:
    (folder / "hostile.pt").write_bytes(torch_bytes({"a": Hostile(folder / "made")}))
    (folder / "cut.safetensors").write_bytes((folder / "net.safetensors").read_bytes()[:-9])
    save_file({"a": torch.ones(1)}, folder / "plain.safetensors")
    before = tree(folder)
    check_clear(run_here(*arguments), fragments)
    assert tree(folder) == before


def test_weights_of_another_network_are_listed(folder: Path) -> None:
    deeper = {**DOCUMENT, "stages": [{"units": 2}, {"units": 2, "stride": 2}]}
    (folder / "deeper.yaml").write_text(json.dumps({"kind": "genome", **deeper}))
    before = tree(folder)
    answer = run_here("export", "deeper.yaml", "--weights", "weights.pt", "--to", "a.pt2")
    check_clear(answer, ["stages.0.1.conv1.weight", "4 x 4 x 3 x 3", "import-weights"], lines=13)
    assert tree(folder) == before


@pytest.mark.slow
def test_every_form_is_written(folder: Path) -> None:
    for name in ("a.safetensors", "a.pt2", "b.py", *(["a.onnx"] * bool(find_spec("onnxruntime")))):
        answer = run_here("export", "tiny.yaml", "--weights", "weights.pt", "--to", name)
        assert answer.code == 0, answer.err
        assert (folder / name).stat().st_size > 1000
    assert same_network(folder / "a.safetensors", folder)
    assert not list(folder.glob(".*"))


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
def test_a_training_is_kept_and_gone_on_with() -> None:
    first = run_here("train", "tiny.yaml", "--epochs", "2", "--keep", "one.safetensors")
    assert first.code == 0, first.err
    zero = run_here("train", "tiny.yaml", "--epochs", "1")
    second = run_here("train", "tiny.yaml", "--epochs", "1", "--from", "one.safetensors")
    assert second.code == 0, second.err

    def train_error(text: str) -> float:
        return float(text.partition("train error")[2].split()[0])

    assert train_error(second.err) < train_error(zero.err)


DELETION = """
kind: deletion
name: imported
networks:
  ours: {genome: tiny.yaml, weights: [tiny.safetensors]}
  trained: tiny.yaml
training: {recipe: quick, epochs: 1, batch_size: 50}
data: {name: digits, subset: 100}
delete: {each: true}
"""


@pytest.mark.slow
def test_a_deletion_study_runs_on_imported_weights(folder: Path) -> None:
    save_file(other_names(folder), folder / "other.safetensors")
    assert run_here("import-weights", "tiny.yaml", "other.safetensors").code == 0
    (folder / "deletion.yaml").write_text(DELETION)
    answer = run_here("delete-units", "deletion.yaml", "--runner", "inline", "--json")
    assert answer.code == 0, answer.err
    url = "sqlite:///runs/nasablate.db"
    refused = run_here("export", "imported/0", "--to", "a.safetensors", "--storage", url)
    check_clear(refused, ["imported/0", "is no training"])
    kept = run_here("export", "imported.networks/0", "--to", "a.safetensors", "--storage", url)
    assert kept.code == 0, kept.err
    trial = folder / "runs" / "imported.networks" / "trials" / "00000" / "weights.pt"
    wanted = torch.load(trial, weights_only=True)
    found = nasablate.load_network("a.safetensors").state_dict()
    assert all(torch.equal(found[name], value) for name, value in wanted.items())
    trial.unlink()
    lost = run_here("export", "imported.networks/0", "--to", "b.safetensors", "--storage", url)
    check_clear(lost, ["kept no weights", "evaluate: test", "nasablate train FILE.yaml --keep"])
    assert not (folder / "b.safetensors").exists()
