"""Networks written for torch.export and onnxruntime compute what they computed here."""

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from nasablate.blueprint import lower
from nasablate.errors import InputError, RunError
from nasablate.nets import exported
from nasablate.nets.exported import LIMIT, write_onnx, write_program
from nasablate.nets.network_file import network_texts
from tests.nets.small_networks import FAMILIES, images, random_net, small

needs_onnx = pytest.mark.skipif(
    not all(map(find_spec, ("onnx", "onnxruntime", "onnxscript"))),
    reason="ONNX is not installed: pip install nasablate[onnx]",
)
QUICK = "lenet-5"
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES if name != QUICK]
EVERY_FAMILY = pytest.mark.parametrize("preset", [QUICK, *SLOW])
ONNX = ("resnet-18d", "resnet-110-stochastic-depth", "seresnet-18", "resnest-50-drop-block",
        "res2net-50-26w4s", "rexnet-1.0", "pyramidnet-110-a48", "nin-cifar10", "alexnet",
        "inception-v3-no-aux")  # fmt: skip
"""Together they have every kind of layer that the families have."""
EVERY_LAYER = pytest.mark.parametrize(
    "preset", [QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in ONNX)]
)


@EVERY_FAMILY
def test_a_program_gives_equal_logits(preset: str, tmp_path: Path) -> None:
    genome = small(preset)
    net = random_net(genome)
    path = tmp_path / "net.pt2"
    assert write_program(path, net, network_texts(genome)) <= LIMIT
    texts = {"genome": ""}
    module = torch.export.load(path, extra_files=texts).module()
    batch = images(net, batch=5)
    torch.testing.assert_close(module(batch), net(batch), rtol=LIMIT, atol=LIMIT)
    assert json.loads(texts["genome"]) == genome.document()


def test_some_families_have_every_kind_of_layer() -> None:
    def kinds(names: Iterable[str]) -> set[type]:
        parts = [part for name in names for part in lower(small(name)).parts]
        return {type(layer.op) for part in parts for layer in part.fragment.layers}

    assert kinds([QUICK, *ONNX]) == kinds(FAMILIES)


@needs_onnx
@EVERY_LAYER
def test_an_onnx_file_gives_equal_logits(preset: str, tmp_path: Path) -> None:
    import onnx
    import onnxruntime

    genome = small(preset)
    net = random_net(genome)
    path = tmp_path / "net.onnx"
    write_onnx(path, net, network_texts(genome))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    batch = images(net, batch=5)
    found = torch.tensor(session.run(["logits"], {"images": batch.numpy()})[0])
    wanted = net(batch).detach()
    scale = max(1.0, float(wanted.abs().max()))
    assert float((found - wanted).abs().max()) / scale <= LIMIT
    texts = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    assert json.loads(texts["genome"]) == genome.document()


def test_a_program_that_computes_something_else_is_refused() -> None:
    net = random_net(small(QUICK))
    with pytest.raises(
        RunError, match=r"the file differs from the network by .*, more than 0\.0001"
    ):
        exported._checked(net, lambda batch: net(batch) + 0.01, "file")


def test_a_program_that_gives_no_numbers_is_refused() -> None:
    net = random_net(small(QUICK))
    with pytest.raises(RunError, match="differs"):
        exported._checked(net, lambda batch: net(batch) * float("nan"), "file")


def test_what_is_missing_for_onnx_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "_ONNX", ("no_such_package", "onnxruntime", "onnxscript"))
    with pytest.raises(InputError, match=r"need no_such_package: pip install 'nasablate\[onnx\]'"):
        write_onnx(tmp_path / "net.onnx", random_net(small(QUICK)), {})
    assert not list(tmp_path.iterdir())
