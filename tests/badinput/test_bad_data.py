"""Archives, class folders, arrays and Parquet files that are bad, through the commands."""

import gzip
import io
import pickle
import tarfile

import numpy as np
import pytest

from nasablate.data import sources
from tests.badinput.command import check_clear, run_here, tree
from tests.data.making import SMALL10, binary_files, class_folders, noise, write_tar
from tests.data.test_parquet import picture, write

SEARCH = """\
kind: search
name: toy
base: {stages: [{units: 1}], width: 4}
axes: {width: {choice: [4, 8]}}
training: {recipe: quick, epochs: 1}
data: {name: DATA, validation: 2}
trials: 2
"""


def with_member(archive, name, kind=tarfile.REGTYPE):
    """Return a CIFAR archive that holds one member more than it should."""
    buffer = io.BytesIO(gzip.decompress(archive.read_bytes()))
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    archive.write_bytes(gzip.compress(buffer.getvalue()))


def files_of(folder, **changes):
    files = binary_files(SMALL10)
    files.update({f"{name}.bin": content for name, content in changes.items()})
    return write_tar(folder / SMALL10.binary_archive, files)


def path_that_leads_out(folder):
    with_member(files_of(folder), "../../evil.bin")


def absolute_path(folder):
    with_member(files_of(folder), "/evil.bin")


def link_that_leads_out(folder):
    with_member(files_of(folder), "inside/extra.bin", tarfile.SYMTYPE)


def cut_archive(folder):
    archive = files_of(folder)
    archive.write_bytes(archive.read_bytes()[:5000])


def no_archive(folder):
    (folder / SMALL10.binary_archive).write_text("<html>not found</html>")


def label_out_of_range(folder):
    batch = bytearray(binary_files(SMALL10)["data_batch_1.bin"])
    batch[0] = 200
    files_of(folder, data_batch_1=bytes(batch))


def short_batch(folder):
    files_of(folder, data_batch_2=binary_files(SMALL10)["data_batch_2.bin"][:-7])


def python_archive_that_runs_code(folder):
    class Evil:
        def __reduce__(self):
            return (__import__("os").system, (f"touch {folder}/ran",))

    names = [*SMALL10.python_train, SMALL10.python_test, SMALL10.python_meta]
    write_tar(folder / SMALL10.python_archive, {name: pickle.dumps(Evil()) for name in names})


ARCHIVES = [path_that_leads_out, absolute_path, link_that_leads_out, cut_archive, no_archive,
            label_out_of_range, short_batch, python_archive_that_runs_code]  # fmt: skip


def one_class(folder):
    class_folders(folder / "x", classes=("cat",))
    return "folder:x"


def not_an_image(folder):
    class_folders(folder / "x")
    (folder / "x" / "cat" / "bad.png").write_bytes(b"GIF89a but no more of it")
    return "folder:x"


def cut_image(folder):
    class_folders(folder / "x", shape=(40, 40, 3))
    file = folder / "x" / "dog" / "003.png"
    file.write_bytes(file.read_bytes()[:900])
    return "folder:x"


def images_of_two_sizes(folder):
    class_folders(folder / "x")
    class_folders(folder / "x" / "cat", classes=("more",), shape=(9, 9, 3))
    return "folder:x"


def empty_class(folder):
    class_folders(folder / "x")
    (folder / "x" / "eel").mkdir()
    return "folder:x"


def arrays(folder, **changes):
    good = {"train_images": noise(0, (12, 5, 4)), "train_labels": np.arange(12) % 3}
    np.savez(folder / "x.npz", **{**good, **changes})
    return "npz:x.npz"


def labels_below_zero(folder):
    return arrays(folder, train_labels=np.arange(12) - 1)


def labels_far_too_large(folder):
    return arrays(folder, train_labels=np.arange(12) * 10**9)


def labels_of_one_class(folder):
    return arrays(folder, train_labels=np.zeros(12, dtype=np.int64))


def more_labels_than_images(folder):
    return arrays(folder, train_labels=np.arange(13) % 3)


def images_with_fractions(folder):
    return arrays(folder, train_images=np.ones((12, 5, 4)))


def pickled_arrays(folder):
    return arrays(folder, train_labels=np.array([{}] * 12))


def cut_npz(folder):
    name = arrays(folder)
    (folder / "x.npz").write_bytes((folder / "x.npz").read_bytes()[:300])
    return name


def parquet_with_no_image(folder):
    (folder / "x").mkdir()
    write(folder / "x" / "train-0.parquet", [picture(0), b"none", picture(2)], [0, 1, 0],
          names=["a", "b"])  # fmt: skip
    return "parquet:x"


def cut_parquet(folder):
    (folder / "x").mkdir()
    file = folder / "x" / "train-0.parquet"
    write(file, [picture(i) for i in range(4)], [0, 1, 1, 0], names=["a", "b"])
    file.write_bytes(file.read_bytes()[:-30])
    return "parquet:x"


OWN = [one_class, not_an_image, cut_image, images_of_two_sizes, empty_class, labels_below_zero,
       labels_far_too_large, labels_of_one_class, more_labels_than_images, images_with_fractions,
       pickled_arrays, cut_npz, parquet_with_no_image, cut_parquet]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NASABLATE_STORAGE", raising=False)
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path))
    monkeypatch.setenv("NASABLATE_DATA_CACHE", "0")
    monkeypatch.setitem(sources.CIFAR, "cifar10", SMALL10)
    return tmp_path


def refused(folder, data, place):
    (folder / "s.yaml").write_text(SEARCH.replace("DATA", data))
    before = tree(folder)
    for command in (("search", "s.yaml", "--runner", "inline"), ("data", "check", data)):
        answer = run_here(*command)
        check_clear(answer, ["s.yaml:6:" if command[0] == "search" else "error: ", place])
        assert answer.out == ""
        assert tree(folder) == before


@pytest.mark.parametrize("make", ARCHIVES, ids=lambda make: make.__name__)
def test_archives(folder, make):
    make(folder)
    refused(folder, "cifar10", "cifar-10-")


@pytest.mark.parametrize("make", OWN, ids=lambda make: make.__name__)
def test_own_images(folder, make):
    refused(folder, make(folder), "x")
