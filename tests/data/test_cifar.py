import contextlib
import gzip
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasablate.data import cifar, load_info, load_test, load_train, sources
from nasablate.data.plain_pickle import load_plain
from nasablate.errors import DataError
from nasablate.genome import DataSpec
from tests.data.making import SMALL, SMALL10, binary_files, cifar_parts, write_tar


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path / "root"))
    monkeypatch.setattr(sources, "CIFAR", SMALL)
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def python_files(data: cifar.Cifar, protocol: int = 2) -> dict[str, bytes]:
    parts = cifar_parts(data)
    files = {}
    for names, part in ((data.python_train, "train"), ((data.python_test,), "test")):
        pixels, fine, _ = parts[part]
        for number, name in enumerate(names):
            span = slice(number * len(fine) // len(names), (number + 1) * len(fine) // len(names))
            batch = {
                "batch_label": "training batch",
                data.python_labels: fine[span].tolist(),
                "data": np.ascontiguousarray(pixels[span]),
                "filenames": ["a_s_000001.png"] * (span.stop - span.start),
            }
            files[name] = pickle.dumps(batch, protocol)
    names = [f"class_{i}" for i in range(data.classes)]
    files[data.python_meta] = pickle.dumps({data.python_names: names}, protocol)
    return files


def unpack(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_every_way_to_hold_the_set_gives_the_same_images(name: str, root: Path) -> None:
    data = SMALL[name]
    spec = DataSpec(name=name, validation=0.2)
    fingerprints = set()
    for place in (root, root / name):
        for files, archive, folder in (
            (binary_files(data), data.binary_archive, data.binary_folder),
            (python_files(data), data.python_archive, data.python_folder),
            (python_files(data, 4), data.python_archive, data.python_folder),
        ):
            path = write_tar(place / archive, files, f"{folder}/")
            fingerprints.add(load_info(spec).fingerprint)
            path.unlink()
            unpack(place / folder, files)
            fingerprints.add(load_info(spec).fingerprint)
            for file in (place / folder).iterdir():
                file.unlink()
            (place / folder).rmdir()
    assert len(fingerprints) == 1


def test_images_labels_and_names_are_those_of_the_archive(root: Path) -> None:
    data = SMALL["cifar100"]
    write_tar(root / data.binary_archive, binary_files(data))
    spec = DataSpec(name="cifar100", validation=0.2)
    info, test = load_info(spec), load_test(spec)
    assert (info.channels, info.height, info.width, info.classes) == (3, 32, 32, 100)
    assert info.class_names[99] == "class_99"
    assert (info.num_train, info.num_val, info.num_test) == (160, 40, 100)
    pixels, fine, _ = cifar_parts(data)["test"]
    assert np.array_equal(test.images.reshape(-1, 3072), pixels)
    assert np.array_equal(test.labels, fine)


def test_size_scales_arrays_too(root: Path) -> None:
    write_tar(root / SMALL10.binary_archive, binary_files(SMALL10))
    spec = DataSpec(name="cifar10", size=8, validation=0.2)
    assert (load_info(spec).height, load_test(spec).images.shape[2:]) == (8, (8, 8))


def test_a_missing_set_names_the_command_that_gets_it() -> None:
    with pytest.raises(DataError, match=r"nasablate data fetch cifar10"):
        load_info(DataSpec(name="cifar10"))


def broken_length(files: dict[str, bytes]) -> None:
    files["data_batch_3.bin"] = files["data_batch_3.bin"][:-7]


def broken_count(files: dict[str, bytes]) -> None:
    files["data_batch_3.bin"] = files["data_batch_3.bin"][:-3073]


def broken_label(files: dict[str, bytes]) -> None:
    files["data_batch_3.bin"] = b"\xff" + files["data_batch_3.bin"][1:]


def broken_names(files: dict[str, bytes]) -> None:
    files["batches.meta.txt"] = b"cat\ndog\n"


def missing(files: dict[str, bytes]) -> None:
    del files["data_batch_5.bin"]


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (broken_length, "data_batch_3.bin: .* no whole number of records"),
        (broken_count, "data_batch_3.bin: holds 3 images and 3 labels, the official file 4"),
        (broken_label, "data_batch_3.bin: label 255; cifar10 has classes 0 to 9"),
        (broken_names, "batches.meta.txt: names 2 classes, cifar10 has 10"),
        (missing, "data_batch_5.bin"),
    ],
)
def test_names_what_is_wrong_with_a_file(
    root: Path, damage: Any, message: str, *, packed: bool
) -> None:
    files = binary_files(SMALL10)
    damage(files)
    if packed:
        write_tar(root / SMALL10.binary_archive, files)
    else:
        unpack(root / SMALL10.binary_folder, files)
    with pytest.raises(DataError, match=message):
        load_train(DataSpec(name="cifar10"))


@pytest.mark.parametrize("kind", ["parent", "absolute", "link", "hard link", "device", "bomb"])
def test_refuses_members_that_no_official_archive_has(root: Path, kind: str) -> None:
    member = tarfile.TarInfo({"parent": "../x", "absolute": "/x"}.get(kind, "x"))
    if kind in {"link", "hard link", "device"}:
        types = {"link": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE, "device": tarfile.FIFOTYPE}
        member.type, member.linkname = types[kind], "/etc/passwd"
    if kind == "bomb":
        member.size = 2**40
    (root / SMALL10.binary_archive).write_bytes(gzip.compress(member.tobuf() + bytes(10_240)))
    with pytest.raises(DataError, match=r"this is no official archive"):
        load_train(DataSpec(name="cifar10"))


ARCHIVE = SMALL10.binary_archive


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_truncated_or_changed_archives_never_load(root: Path, data: st.DataObject) -> None:
    good = write_tar(root / "good.tar.gz", binary_files(SMALL10)).read_bytes()
    # The ten bytes of the gzip header hold a time and flags that change nothing.
    place = data.draw(st.integers(10, len(good) - 1))
    if data.draw(st.booleans()):
        bad = good[:place]
    else:
        bad = bytearray(good)
        bad[place] ^= data.draw(st.integers(1, 255))
    (root / ARCHIVE).write_bytes(bad)
    with pytest.raises(DataError, match=r"damaged archive|no official archive|download"):
        cifar.read_cifar(SMALL10, cifar.Place(root / ARCHIVE, binary=True), test=False)


class Evil:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
@pytest.mark.parametrize(
    "call",
    [
        (os.system, ("touch harm",)),
        (eval, ("__import__('os').mkdir('harm')",)),
        (np.frombuffer, (b"1",)),
        (bytearray, (10**12,)),
    ],
    ids=["system", "eval", "numpy", "memory"],
)
def test_pickles_execute_nothing(
    call: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = Evil(*call)
    with pytest.raises(DataError, match=r"nothing was executed"):
        load_plain(pickle.dumps({"data": evil}, protocol), "batch")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "text",
    [
        b"cos\nsystem\n(S'touch harm'\ntR.",
        b"(S'touch harm'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch harm'\no.",
        b"\x80\x02\x82\x01.",
        b"Pid\n.",
        b"\x80\x02c__builtin__\nobject\n)\x81.",
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nmatrix\nK\x00\x85U\x01b\x87R.",
    ],
)
def test_opcodes_that_call_or_import_are_refused(text: bytes) -> None:
    with pytest.raises(DataError, match=r"nothing was executed"):
        load_plain(text, "batch")


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_pickles_give_one_kind_of_error(data: st.DataObject) -> None:
    good = python_files(SMALL10)["data_batch_1"]
    place = data.draw(st.integers(0, 200) | st.integers(0, len(good) - 1))
    bad = bytearray(good[: data.draw(st.sampled_from([place, len(good)]))])
    if place < len(bad):
        bad[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(DataError):
        load_plain(bytes(bad), "batch")


def test_python_labels_out_of_range_are_refused(root: Path) -> None:
    files = python_files(SMALL10)
    batch = pickle.loads(files["data_batch_2"])
    batch["labels"] = [10**30] * 4
    files["data_batch_2"] = pickle.dumps(batch, 2)
    unpack(root / SMALL10.python_folder, files)
    with pytest.raises(DataError, match=r"data_batch_2: label 10; cifar10 has classes 0 to 9"):
        load_train(DataSpec(name="cifar10"))
