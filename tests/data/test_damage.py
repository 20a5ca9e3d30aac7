"""Pictures and Parquet files cut and changed at random places: one kind of error, never a hang."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nasablate.data.parquet import ParquetImages, count_rows
from nasablate.data.pictures import decode, quiet_decoding, read_header
from nasablate.errors import DataError
from tests.data.making import noise
from tests.data.test_parquet import picture, write

FORMATS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "JPEG2000", "PCX"]


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(0, (16, 16, 3))).save(buffer, kind)
    return buffer.getvalue()


GOOD = {kind: encoded(kind) for kind in FORMATS}


def damaged(data: st.DataObject, good: bytes) -> bytes:
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(64, len(good) - 1)) | st.integers(0, len(good) - 1))
        bad[place] = data.draw(st.integers(0, 255))
    return bytes(bad[: data.draw(st.just(len(bad)) | st.integers(0, len(bad)))])


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_read(kind: str) -> None:
    assert read_header(io.BytesIO(GOOD[kind]), "here").width == 16
    assert decode(io.BytesIO(GOOD[kind]), "here", 3, 8).shape == (3, 8, 8)


@settings(max_examples=600, deadline=5000)
@given(data=st.data())
def test_damaged_pictures(data: st.DataObject) -> None:
    bad = damaged(data, GOOD[data.draw(st.sampled_from(FORMATS))])
    channels = data.draw(st.sampled_from([1, 3]))
    with quiet_decoding():
        with contextlib.suppress(DataError):
            header = read_header(io.BytesIO(bad), "here")
            assert min(header.width, header.height) > 0
        with contextlib.suppress(DataError):
            pixels = decode(io.BytesIO(bad), "here", channels, 4)
            assert pixels.shape == (channels, 4, 4)
            assert pixels.dtype == np.uint8


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
def test_a_picture_cut_anywhere_is_an_error(kind: str) -> None:
    for length in range(0, len(GOOD[kind]) - 40, 7):
        with quiet_decoding(), pytest.raises(DataError, match=r"here: no image that Pillow can"):
            decode(io.BytesIO(GOOD[kind][:length]), "here", 3, None)


@settings(
    max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_parquet_files(tmp_path: Path, data: st.DataObject) -> None:
    file = tmp_path / "train-0.parquet"
    write(file, [picture(i) for i in range(4)], [0, 1, 1, 0], names=["a", "b"])
    good = file.read_bytes()
    # Most of what steers the reader stands in the footer.
    footer = data.draw(st.booleans())
    start = len(good) - 900 if footer else 0
    file.write_bytes(good[:start] + damaged(data, good[start:]))
    with contextlib.suppress(DataError):
        count_rows([file])
        part: Any = ParquetImages([file])
        with quiet_decoding():
            for index in range(len(part.labels)):
                decode(part.open(index), part.where(index), 3, 4)
