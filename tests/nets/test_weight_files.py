"""Files of weights: what is read, what is refused, and that nothing in them is run."""

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file

import nasablate
from nasablate.errors import SpecError
from nasablate.genome import load_genome
from nasablate.nets.network_file import save_network
from nasablate.nets.weight_files import read_weights
from tests.nets.small_networks import FAMILIES, images, random_net, small

STATE = {"a.weight": torch.arange(12.0).reshape(3, 4), "a.bias": torch.ones(3)}


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


class HostileWriter(Hostile):
    """Writes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return Path.write_text, (self.path, "written by a pickle")


def torch_bytes(document: object, **options: bool) -> bytes:
    buffer = io.BytesIO()
    torch.save(document, buffer, **options)
    return buffer.getvalue()


def check_refused(path: Path, *fragments: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_weights(path)
    for fragment in (str(path), *fragments):
        assert fragment in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        save(STATE),
        torch_bytes(STATE),
        torch_bytes(STATE, _use_new_zipfile_serialization=False),
        torch_bytes({"state_dict": STATE, "epoch": 3}),
        torch_bytes({"model": {f"module.{name}": value for name, value in STATE.items()}}),
    ],
    ids=["safetensors", "torch", "old torch", "checkpoint", "parallel"],
)
def test_forms_that_are_read(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"  # the content says what it is
    path.write_bytes(content)
    found = read_weights(path).tensors
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("form", ["torch", "old torch", "bare pickle", "inside a checkpoint"])
@pytest.mark.parametrize("kind", [Hostile, HostileWriter])
def test_a_pickle_that_would_do_something_does_nothing(
    kind: type[Hostile], form: str, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    hostile = kind(made)
    contents = {
        "torch": lambda: torch_bytes({"a": hostile}),
        "old torch": lambda: torch_bytes(hostile, _use_new_zipfile_serialization=False),
        "bare pickle": lambda: pickle.dumps(hostile),
        "inside a checkpoint": lambda: torch_bytes({"state_dict": STATE, "extra": hostile}),
    }
    path = tmp_path / "weights.pt"
    path.write_bytes(contents[form]())
    check_refused(path, "nothing in it was run")
    assert not made.exists()
    pickle.loads(pickle.dumps(hostile))
    assert made.is_file() == (kind is HostileWriter)
    assert made.exists(), "the pickle is harmless, so this test shows nothing"


WHOLE = save(STATE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (WHOLE[:-1], "is no whole safetensors file"),
        (WHOLE[:40], "is no whole safetensors file"),
        (WHOLE + b"more", "is no whole safetensors file"),
        ((2**62).to_bytes(8, "little") + WHOLE[8:], "is no whole safetensors file"),
        (WHOLE.replace(b'"F32"', b'"X32"'), "is no whole safetensors file"),
        (torch_bytes(STATE)[:-30], "holds no plain tensors"),
        (b"", "holds no plain tensors"),
        (b"not weights at all", "holds no plain tensors"),
        (torch_bytes({}), "must hold tensors by name, not nothing"),
        (torch_bytes(torch.ones(3)), "must hold tensors by name, not Tensor"),
        (torch_bytes({"a": 3}), "'a' is none"),
        (torch_bytes({3: torch.ones(3)}), "3 is none"),
        (torch_bytes({"a": torch.ones(3).to_sparse()}), "'a' is none"),
        (torch_bytes({"a": torch.ones(3, dtype=torch.complex64)}), "'a' is none"),
        (save({"a": torch.tensor([1.0, float("nan")])}), "NaN or infinity"),
        (save({"a": torch.tensor([float("inf")])}), "NaN or infinity"),
    ],
)
def test_what_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    check_refused(path, reason)


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    content = bytearray(torch_bytes(STATE))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        stored = max(
            archive.infolist(), key=lambda info: info.file_size * ("data/" in info.filename)
        )
        values = archive.read(stored)
    content[content.index(values) + 5] ^= 1
    path = tmp_path / "weights.pt"
    path.write_bytes(content)
    check_refused(path, "is damaged", "does not match its sum")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    check_refused(tmp_path, "cannot be read")
    check_refused(tmp_path / "none.pt", "no such file")


@pytest.mark.parametrize("preset", FAMILIES)
def test_one_file_gives_a_network_back(preset: str, tmp_path: Path) -> None:
    genome = small(preset)
    net = random_net(genome)
    path = tmp_path / "net.safetensors"
    save_network(path, genome, net.state_dict())
    back = nasablate.load_network(path)
    assert back.blueprint == net.blueprint
    assert not back.training
    with torch.no_grad():
        assert torch.equal(back(images(net)), net(images(net)))


def written(tmp_path: Path, **texts: str) -> Path:
    """Write a network's file with other metadata."""
    genome = small("lenet-5")
    net = random_net(genome)
    path = tmp_path / "net.safetensors"
    save_network(path, genome, net.state_dict())
    metadata = {**read_weights(path).texts, **texts}
    save_file(dict(net.state_dict()), path, metadata=metadata)
    return path


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({"genome": "{"}, "its genome is no JSON"),
        ({"genome": "[" * 100_000}, "its genome is no JSON"),
        ({"genome": "[]"}, "its genome is no JSON object"),
        ({"genome": "{}"}, "genome.stages"),
        ({"genome": '{"stages": [{"units": 1}], "evil": 1}'}, "genome.evil"),
        ({"genome": load_genome("resnet-20").canonical_json()}, "is not the one that it was"),
        ({"network_digest": "0"}, "is not the one that it was written with"),
    ],
)
def test_a_genome_that_does_not_fit_is_refused(
    texts: dict[str, str], reason: str, tmp_path: Path
) -> None:
    path = written(tmp_path, **texts)
    with pytest.raises(SpecError) as caught:
        nasablate.load_network(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)


def test_weights_without_a_genome_name_the_command(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "net.safetensors")
    with pytest.raises(SpecError, match="no genome; name its genome: 'nasablate import-weights"):
        nasablate.load_network(tmp_path / "net.safetensors")
