import os
from pathlib import Path

import numpy as np
import pytest

from nasablate.data.decoded import decoded_once, stamp
from nasablate.data.images import Source, frozen


class Decoder:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Source:
        self.calls += 1
        images = np.arange(48, dtype=np.uint8).reshape(4, 3, 2, 2)
        return Source(frozen(images, np.array([0, 1, 0, 1])), ("a", "b"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nasablate" / "decoded"


FILES = (("train.parquet", 10, 20),)


def test_decodes_once_per_state_of_the_files(cache: Path) -> None:
    decode = Decoder()
    first, second = decoded_once(FILES, decode), decoded_once(FILES, decode)
    assert decode.calls == 1
    assert np.array_equal(first.images.images, second.images.images)
    assert np.array_equal(first.images.labels, second.images.labels)
    assert second.class_names == ("a", "b")
    decoded_once((("train.parquet", 10, 21),), decode)
    assert decode.calls == 2
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("damage", ["truncate", "flip", "nonsense", "empty"])
def test_a_damaged_cache_is_replaced(cache: Path, damage: str) -> None:
    decode = Decoder()
    decoded_once(FILES, decode)
    (path,) = cache.iterdir()
    content = bytearray(path.read_bytes())
    where = content.index(bytes(range(48)))
    content[where] ^= 1
    broken = {"truncate": content[:100], "flip": content, "nonsense": b"zip?", "empty": b""}
    path.write_bytes(broken[damage])
    again = decoded_once(FILES, decode)
    assert decode.calls == 2
    assert again.images.images[0, 0, 0, 0] == 0
    decoded_once(FILES, decode)
    assert decode.calls == 2


def test_a_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert decoded_once(FILES, Decoder()).class_names == ("a", "b")


def test_stamp_follows_size_and_time(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("1")
    before = stamp([file])
    file.write_text("12")
    assert stamp([file]) != before


def test_the_files_used_least_recently_go_first(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(number: int) -> int:
        decode = Decoder()
        decoded_once(((f"{number}.parquet", 1, 1),), decode)
        return decode.calls

    assert [read(number) for number in range(3)] == [1, 1, 1]
    for age, path in enumerate(sorted(cache.iterdir(), key=lambda p: p.stat().st_mtime_ns)):
        os.utime(path, (age, age))
    size = next(cache.iterdir()).stat().st_size
    assert read(0) == 0  # used again, so number 1 is the oldest now
    monkeypatch.setenv("NASABLATE_DATA_CACHE", str(3 * size))
    assert read(3) == 1
    assert [read(0), read(2), read(3)] == [0, 0, 0]
    assert read(1) == 1


def test_no_room_keeps_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASABLATE_DATA_CACHE", "0")
    decode = Decoder()
    decoded_once(FILES, decode)
    decoded_once(FILES, decode)
    assert decode.calls == 2
    assert not cache.exists()


def test_the_variant_tells_copies_of_the_same_files_apart(cache: Path) -> None:
    decode = Decoder()
    decoded_once(FILES, decode)
    decoded_once(FILES, decode, "size=8")
    assert decode.calls == 2
    assert len(list(cache.iterdir())) == 2
