"""Makes small data sets of every kind for the tests."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nasablate.data import cifar

SMALL10 = replace(cifar.CIFAR10, num_train=20, num_test=10)
SMALL100 = replace(cifar.CIFAR100, num_train=200, num_test=100)
SMALL = {data.name: data for data in (SMALL10, SMALL100)}


def noise(seed: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def save_picture(path: Path, pixels: np.ndarray[Any, Any], **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def class_folders(
    root: Path,
    per_class: int = 6,
    classes: tuple[str, ...] = ("cat", "dog"),
    shape: tuple[int, ...] = (5, 4, 3),
) -> Path:
    for label, name in enumerate(classes):
        for number in range(per_class):
            pixels = noise(100 * label + number, shape)
            save_picture(root / name / f"{number:03}.png", pixels)
    return root


def cifar_parts(data: cifar.Cifar) -> dict[str, tuple[Any, Any, Any]]:
    """Return pixels, fine labels and coarse labels by part."""
    return {
        part: (noise(seed, (count, 3072)), np.arange(count) % data.classes, np.arange(count) % 20)
        for seed, (part, count) in enumerate(
            {"train": data.num_train, "test": data.num_test}.items()
        )
    }


def binary_files(data: cifar.Cifar) -> dict[str, bytes]:
    parts = cifar_parts(data)
    files: dict[str, bytes] = {}
    for names, part in ((data.train_files, "train"), ((data.test_file,), "test")):
        pixels, fine, coarse = parts[part]
        columns = [fine[:, None]] if data.label_bytes == 1 else [coarse[:, None], fine[:, None]]
        table = np.concatenate([*columns, pixels], axis=1).astype(np.uint8)
        for name, chunk in zip(names, np.split(table, len(names)), strict=True):
            files[name] = chunk.tobytes()
    files[data.names_file] = "\n".join(f"class_{i}" for i in range(data.classes)).encode() + b"\n\n"
    return files


def write_tar(path: Path, files: Mapping[str, bytes], folder: str = "inside/") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    path.write_bytes(gzip.compress(buffer.getvalue(), 1))
    return path
