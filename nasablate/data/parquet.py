"""Hugging Face style Parquet folders: ``train-*.parquet``, ``test-*.parquet``, images as bytes.

The image column is ``image`` or ``img`` (bytes, or a struct with ``bytes``), the label column
``label``, ``labels`` or ``fine_label`` (integers from 0).
"""

import bisect
import importlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from nasablate.data.limits import MAX_CLASSES
from nasablate.errors import DataError

if TYPE_CHECKING:
    from nasablate.data.images import Labels

IMAGE_COLUMNS = ("image", "img")
LABEL_COLUMNS = ("label", "labels", "fine_label")


@dataclass(frozen=True, slots=True)
class _Block:
    """One row group: the unit in which Parquet is read."""

    file: Path
    group: int
    first_row: int
    """Within its file."""
    start: int
    """Within the part."""


class ParquetImages:
    """One part of a data set: its labels in memory, its images read row group by row group."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Read labels and class names.

        Raises:
            DataError: a file is damaged, a column missing, or a label is no class.
        """
        self._blocks: list[_Block] = []
        self._cached: tuple[int, list[bytes | None]] = (-1, [])
        labels: list[int] = []
        names: tuple[str, ...] = ()
        for file in files:
            shard_names = self._add(file, labels)
            names = names or shard_names
        if not labels:
            message = f"{files[0].parent}: the files '{files[0].name}'... hold no image"
            raise DataError(message)
        self.class_names = _names(files[0].parent, names, max(labels))
        self.labels: Labels = np.array(labels, dtype=np.int64)
        self.labels.setflags(write=False)
        self._starts = [block.start for block in self._blocks]

    def where(self, index: int) -> str:
        """Return the file and row of a picture, for messages."""
        block = self._blocks[self._block_of(index)]
        return f"{block.file}: row {block.first_row + index - block.start}"

    def open(self, index: int) -> BinaryIO:
        """Return the bytes of a picture as a stream.

        Raises:
            DataError: the file is damaged or the row holds no bytes.
        """
        number = self._block_of(index)
        if self._cached[0] != number:
            self._cached = (number, _read_images(self._blocks[number]))
        row = index - self._blocks[number].start
        if row >= len(self._cached[1]):
            message = (
                f"{self.where(index)}: damaged (fewer images than labels); copy the file again"
            )
            raise DataError(message)
        data = self._cached[1][row]
        if data is None:
            message = (
                f"{self.where(index)}: has no image bytes; files with mere paths cannot be read"
            )
            raise DataError(message)
        return io.BytesIO(data)

    def _block_of(self, index: int) -> int:
        return bisect.bisect_right(self._starts, index) - 1

    def _add(self, file: Path, labels: list[int]) -> tuple[str, ...]:
        """Note the blocks and labels of one file; return the class names of its metadata."""
        parquet = _open(file)
        schema = parquet.schema_arrow
        _image_column(file, schema)
        column = _column(file, schema.names, LABEL_COLUMNS)
        if not _pyarrow().types.is_integer(schema.field(column).type):
            kind = schema.field(column).type
            message = f"{file}: column '{column}' is {kind}, it must hold integers from 0"
            raise DataError(message)
        row = 0
        for group in range(parquet.num_row_groups):
            values = _read_column(file, parquet, group, column).to_pylist()
            if values:
                self._blocks.append(_Block(file, group, row, len(labels)))
            labels += _checked_labels(file, column, values, row)
            row += len(values)
        return _class_names(schema.metadata, column)


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
    """Return the number of rows from the footers alone.

    Raises:
        DataError: a file is damaged.
    """
    return sum(_open(file).metadata.num_rows for file in files)


def is_unlabelled(files: Sequence[Path]) -> bool:
    """Tell whether the labels of a part are kept secret: all -1, as Hugging Face writes them.

    Raises:
        DataError: the first file, which speaks for all, is damaged or has no column of labels.
    """
    parquet = _open(files[0])
    column = _column(files[0], parquet.schema_arrow.names, LABEL_COLUMNS)
    return all(
        label == -1
        for group in range(parquet.num_row_groups)
        for label in _read_column(files[0], parquet, group, column).to_pylist()
    )


def _open(file: Path) -> Any:
    pa = _pyarrow()
    try:
        return pa.parquet.ParquetFile(file)
    except (OSError, pa.ArrowException, ValueError) as error:
        message = f"{file}: not a Parquet file ({_line(error)}); copy the file again"
        raise DataError(message) from error


def _read_column(file: Path, parquet: Any, group: int, column: str) -> Any:
    try:
        table = parquet.read_row_group(group, columns=[column], use_threads=False)
        values = table[column].combine_chunks()
        values.validate(full=True)
    except (OSError, _pyarrow().ArrowException, ValueError, MemoryError) as error:
        message = f"{file}: damaged ({_line(error)}); copy the file again"
        raise DataError(message) from error
    return values


def _read_images(block: _Block) -> list[bytes | None]:
    parquet = _open(block.file)
    column = _image_column(block.file, parquet.schema_arrow)
    values = _read_column(block.file, parquet, block.group, column)
    if _pyarrow().types.is_struct(values.type):
        values = values.field("bytes")
    return values.to_pylist()


def _image_column(file: Path, schema: Any) -> str:
    types = _pyarrow().types
    name = _column(file, schema.names, IMAGE_COLUMNS)
    kind = schema.field(name).type
    if types.is_struct(kind):
        if "bytes" not in [field.name for field in kind]:
            message = f"{file}: column '{name}' has no field 'bytes'"
            raise DataError(message)
        kind = kind.field("bytes").type
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        message = f"{file}: column '{name}' is {kind}, it must hold image bytes"
        raise DataError(message)
    return name


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


def _checked_labels(file: Path, column: str, values: list[int | None], first_row: int) -> list[int]:
    for row, value in enumerate(values, first_row):
        if value is None or not 0 <= value < MAX_CLASSES:
            message = (
                f"{file}: row {row}: {column} = {value}; every image needs a class from 0"
                f" to at most {MAX_CLASSES - 1}"
            )
            raise DataError(message)
    return cast("list[int]", values)


def _class_names(metadata: dict[bytes, bytes] | None, column: str) -> tuple[str, ...]:
    """Read ClassLabel names from the schema; no names when the metadata have none."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features[column]["names"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()


def _names(folder: Path, names: tuple[str, ...], highest: int) -> tuple[str, ...]:
    if not names:
        return tuple(str(label) for label in range(highest + 1))
    if highest >= len(names):
        message = (
            f"{folder}: label {highest} has no name, the metadata name"
            f" {len(names)} classes; correct the metadata or the labels"
        )
        raise DataError(message)
    return names


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
