"""Readers of images and of the files that hold them, and of ablation files."""

import io
import json
import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nasablate.data import cifar
from nasablate.data.arrays import find_arrays
from nasablate.data.parquet import ParquetImages, count_rows
from nasablate.data.pictures import decode, quiet_decoding, read_header
from nasablate.data.plain_pickle import load_plain
from nasablate.genome import load_ablation
from nasablate.genome.yaml_source import read_yaml
from nasablate.search.answerable import needed_seeds
from nasablate.search.arms import resolve_arms
from nasablate.search.confounds import arm_documents
from tests.data.making import SMALL10, binary_files, noise, write_tar
from tests.data.test_cifar import python_files
from tests.data.test_parquet import picture, write
from tests.fuzz.mutations import mutate_document
from tests.fuzz.readers import INFO, ROOT, Reader, scratch

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "JPEG2000", "PCX")


def data_readers() -> Iterator[Reader]:
    """Yield the readers."""
    yield Reader("ablation", _read_ablation, _damaged_ablation)
    yield Reader("picture", _read_picture, lambda rng: _damaged(rng, rng.choice(_pictures())))
    yield Reader("npz", _read_npz, lambda rng: _damaged(rng, _npz()))
    yield Reader("parquet", _read_parquet, _damaged_parquet)
    yield Reader("archive", _read_archive, lambda rng: _damaged(rng, _archive()))
    yield Reader("pickle", _read_pickle, lambda rng: _damaged(rng, _pickle()))


def _damaged(rng: random.Random, good: bytes) -> bytes:
    """Change a few bytes, mostly near an end, where headers and directories stand; or cut."""
    bad = bytearray(good)
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        near = rng.randrange(min(64, len(bad)))
        place = rng.choice((near, len(bad) - 1 - near, rng.randrange(len(bad))))
        bad[place] = rng.choice((rng.randrange(256), bad[place] ^ (1 << rng.randrange(8))))
    return bytes(bad[: rng.randrange(len(bad))] if rng.random() < 0.2 else bad)


def _file(name: str, content: bytes) -> Path:
    path = scratch() / name
    path.write_bytes(content)
    return path


# Ablation files


@cache
def _ablations() -> tuple[dict[str, Any], ...]:
    written = [read_yaml(path).data for path in sorted((ROOT / "studies").glob("*.yaml"))]
    arms = {"wide": {"width": 16}, "slow": {"training.optimizer.lr": 0.01}}
    small = {**written[0], "design": "arms", "arms": arms, "match": {"params": "900%"}}
    small.pop("factors")
    path = {**written[0], "design": "path", "order": list(written[0]["factors"])}
    both = {**path, "direction": "both", "pilot": {"sd": 0.3, "correlation": 0.5}}
    protocol = {"training": {"epochs": 3, "optimizer": {"lr": 0.1}}, "data": "cifar10"}
    row = {"arm": "baseline", "value": 6.61, "n": 5, "std": 0.16, "source": "x"}
    fraction = {
        **written[0],
        "design": "fractional",
        "resolution": 4,
        "match": {"macs": "1%", "params": "3%"},
        "match_mode": "both",
        "reported": [{**row, "protocol": protocol}],
    }
    fraction["factors"] = {
        **fraction["factors"],
        "unit": {"basic": {}, "bottleneck": {"unit.kind": "bottleneck"}},
        "lr": {"high": {}, "low": {"training.optimizer.lr": 0.01}},
    }
    alone = {**written[0], "design": "one_at_a_time"}
    return (*written, alone, small, path, both, fraction)


def _damaged_ablation(rng: random.Random) -> Mapping[str, Any]:
    return mutate_document(rng, rng.choice(_ablations()))


def _read_ablation(document: Mapping[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    spec = load_ablation(_file("ablation.yaml", text))
    arms = resolve_arms(spec, INFO)
    arm_documents(arms)
    needed_seeds(spec, arms)


# Images and the files that hold them


@cache
def _pictures() -> tuple[bytes, ...]:
    found: list[bytes] = []
    for kind in _FORMATS:
        buffer = io.BytesIO()
        Image.fromarray(noise(0, (16, 16, 3))).save(buffer, kind)
        found.append(buffer.getvalue())
    return tuple(found)


def _read_picture(content: bytes) -> None:
    with quiet_decoding():
        read_header(io.BytesIO(content), "here")
        assert decode(io.BytesIO(content), "here", 3, 4).shape == (3, 4, 4)


@cache
def _npz() -> bytes:
    buffer = io.BytesIO()
    arrays = {"x_train": noise(0, (12, 5, 4, 3)), "y_train": np.arange(12) % 3}
    np.savez_compressed(buffer, **arrays, x_test=noise(1, (4, 5, 4, 3)), y_test=np.arange(4) % 3)
    return buffer.getvalue()


def _read_npz(content: bytes) -> None:
    for part in find_arrays(_file("arrays.npz", content)).values():
        part.read()


@cache
def _parquet() -> bytes:
    path = scratch() / "valid.parquet"
    write(path, [picture(i) for i in range(4)], [0, 1, 1, 0], names=["a", "b"])
    return path.read_bytes()


def _damaged_parquet(rng: random.Random) -> bytes:
    good = _parquet()
    footer = len(good) - 900  # most of what steers the reader stands there
    return (
        good[:footer] + _damaged(rng, good[footer:]) if rng.random() < 0.5 else _damaged(rng, good)
    )


def _read_parquet(content: bytes) -> None:
    path = _file("train-0.parquet", content)
    count_rows([path])
    part = ParquetImages([path])
    with quiet_decoding():
        for index in range(len(part.labels)):
            decode(part.open(index), part.where(index), 3, 4)


@cache
def _archive() -> bytes:
    return write_tar(scratch() / "valid.tar.gz", binary_files(SMALL10)).read_bytes()


def _read_archive(content: bytes) -> None:
    place = cifar.Place(_file(SMALL10.binary_archive, content), binary=True)
    cifar.read_cifar(SMALL10, place, test=False)


@cache
def _pickle() -> bytes:
    return python_files(SMALL10)["data_batch_1"]


def _read_pickle(content: bytes) -> None:
    load_plain(content, "batch")
