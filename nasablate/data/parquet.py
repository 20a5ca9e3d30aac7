"""Hugging Face style Parquet folders: ``train-*.parquet``, ``test-*.parquet``, images as bytes.

The image column is ``image`` or ``img`` (bytes, or a struct with ``bytes``), the label column
``label``, ``labels`` or ``fine_label`` (integers from 0).
"""

import importlib
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from nasablate.data.images import Images, Source, frozen
from nasablate.errors import DataError

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "fine_label")
_CHANNELS = {"L": 1, "RGB": 3}


def shards(folder: Path, split: str) -> list[Path]:
    """Return the files of ``split`` in ``folder`` (or its ``data``), sorted; empty when absent.

    Raises:
        DataError: some shards of a numbered set (``-00000-of-00002``) are missing.
    """
    for place in (folder, folder / "data"):
        files = sorted(place.glob(f"{split}-*.parquet"))
        if not files:
            continue
        numbered = re.search(r"-of-(\d+)$", files[0].stem)
        if numbered and int(numbered[1]) != len(files):
            message = (
                f"{place}: {len(files)} of {int(numbered[1])} '{split}' shards are there;"
                " copy the missing files"
            )
            raise DataError(message)
        return files
    return []


def count_rows(files: Sequence[Path]) -> int:
    """Return the number of rows from the footers alone."""
    return sum(_open(file).metadata.num_rows for file in files)


def read_parquet(files: Sequence[Path]) -> Source:
    """Decode every image of ``files``.

    Raises:
        DataError: a column is missing, an image cannot be decoded or differs in size or number of
            channels from the first one, or a label is no class.
    """
    batches: list[Images] = []
    labels: list[int] = []
    names: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    for file in files:
        encoded, shard_labels, shard_names = _read_shard(file)
        names = names or shard_names
        images = _decode(file, encoded, shape)
        if len(images):
            shape = images.shape[1:]
        batches.append(images)
        labels.extend(shard_labels)
    if not labels:
        message = f"{files[0].parent}: the files '{files[0].name}'... hold no image"
        raise DataError(message)
    images = np.concatenate([batch for batch in batches if len(batch)])
    names = names or tuple(str(label) for label in range(max(labels) + 1))
    if max(labels) >= len(names):
        message = (
            f"{files[0].parent}: label {max(labels)} has no name, the metadata name"
            f" {len(names)} classes; correct the metadata or the labels"
        )
        raise DataError(message)
    return Source(frozen(images, np.array(labels, dtype=np.int64)), names)


def _read_shard(file: Path) -> tuple[list[bytes | None], list[int], tuple[str, ...]]:
    pa = _pyarrow()
    parquet = _open(file)
    schema = parquet.schema_arrow
    image_column = _column(file, schema.names, IMAGE_COLUMNS)
    label_column = _column(file, schema.names, LABEL_COLUMNS)
    if not pa.types.is_integer(schema.field(label_column).type):
        kind = schema.field(label_column).type
        message = f"{file}: column '{label_column}' is {kind}, it must hold integers from 0"
        raise DataError(message)
    try:
        table = parquet.read(columns=[image_column, label_column])
    except (OSError, pa.ArrowException) as error:
        message = f"{file}: damaged ({error}); copy the file again"
        raise DataError(message) from error
    column = table[image_column].combine_chunks()
    if pa.types.is_struct(column.type):
        if "bytes" not in [field.name for field in column.type]:
            message = f"{file}: column '{image_column}' has no field 'bytes'"
            raise DataError(message)
        column = column.field("bytes")
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        message = f"{file}: column '{image_column}' is {column.type}, it must hold image bytes"
        raise DataError(message)
    labels = _labels(file, label_column, table[label_column].to_pylist())
    return column.to_pylist(), labels, _class_names(schema.metadata, label_column)


def _open(file: Path) -> Any:
    pa = _pyarrow()
    try:
        return pa.parquet.ParquetFile(file)
    except (OSError, pa.ArrowException) as error:
        message = f"{file}: not a Parquet file ({error}); copy the file again"
        raise DataError(message) from error


def _pyarrow() -> Any:
    """Import pyarrow when it is first needed; it has no type hints."""
    importlib.import_module("pyarrow.parquet")
    return importlib.import_module("pyarrow")


def _column(file: Path, present: Sequence[str], wanted: Sequence[str]) -> str:
    for name in wanted:
        if name in present:
            return name
    message = f"{file}: has columns {', '.join(present)}; needs one of {', '.join(wanted)}"
    raise DataError(message)


def _labels(file: Path, column: str, values: list[int | None]) -> list[int]:
    for row, value in enumerate(values):
        if value is None or value < 0:
            message = f"{file}: row {row}: {column} = {value}; every image needs a class from 0"
            raise DataError(message)
    return cast("list[int]", values)


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...]:
    """Read ClassLabel names from the schema; no names when the metadata have none."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[column]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def _decode(file: Path, encoded: list[bytes | None], shape: tuple[int, ...] | None) -> Images:
    """Decode to uint8 [n, channels, height, width]; ``shape`` is the one all images must have."""
    result = np.empty((0, 1, 1, 1), dtype=np.uint8)
    for row, data in enumerate(encoded):
        image = _decode_one(f"{file}: row {row}", data)
        if shape is None:
            shape = image.shape
        if image.shape != shape:
            message = (
                f"{file}: row {row}: {_in_words(image.shape)}, but the images before it have"
                f" {_in_words(shape)}; all images of a data set need one size and one number of"
                " channels"
            )
            raise DataError(message)
        if row == 0:
            result = np.empty((len(encoded), *shape), dtype=np.uint8)
        result[row] = image
    return result


def _decode_one(where: str, data: bytes | None) -> Images:
    """Return one image as uint8 [channels, height, width]."""
    from PIL import Image

    if data is None:
        message = f"{where}: has no image bytes; files with mere paths cannot be read"
        raise DataError(message)
    try:
        with Image.open(io.BytesIO(data)) as image:
            picture = image.convert("RGB") if image.mode == "P" else image
            mode, pixels = picture.mode, np.asarray(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        message = f"{where}: no image that Pillow can decode ({error})"
        raise DataError(message) from error
    if mode not in _CHANNELS:
        message = f"{where}: an image of mode {mode}; convert it to RGB or 8-bit grey"
        raise DataError(message)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def _in_words(shape: tuple[int, ...]) -> str:
    channels, height, width = shape
    return f"{channels} channel{'s' if channels > 1 else ''} of {height}x{width}"
