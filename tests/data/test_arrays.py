import contextlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasablate.data import load_info, load_test, load_train
from nasablate.data.arrays import find_arrays
from nasablate.errors import DataError
from nasablate.genome import DataSpec
from tests.data.making import noise

LABELS = np.arange(20) % 3


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        "x_train": noise(0, (20, 6, 5, 3)),
        "y_train": LABELS,
        "x_test": noise(1, (6, 6, 5, 3)),
        "y_test": LABELS[:6],
        **changes,
    }


def spec(path: Path, **fields: Any) -> DataSpec:
    return DataSpec(name=f"npz:{path}", **fields)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_both_ways_to_name_arrays(tmp_path: Path, save: Any) -> None:
    given_arrays = arrays()
    save(tmp_path / "a.npz", **given_arrays)
    names = ("train_images", "train_labels", "test_images", "test_labels")
    save(tmp_path / "b.npz", **dict(zip(names, given_arrays.values(), strict=True)))
    (tmp_path / "c").mkdir()
    for name, values in given_arrays.items():
        np.save(tmp_path / "c" / f"{name}.npy", values)
    infos = [load_info(spec(tmp_path / name)) for name in ("a.npz", "b.npz", "c")]
    assert len({info.fingerprint for info in infos}) == 1
    info = infos[0]
    assert (info.channels, info.height, info.width, info.classes) == (3, 6, 5, 3)
    assert (info.num_train, info.num_val, info.num_test) == (18, 2, 6)
    test = load_test(spec(tmp_path / "a.npz"))
    assert np.array_equal(test.images.transpose(0, 2, 3, 1), given_arrays["x_test"])


@pytest.mark.parametrize("shape", [(20, 6, 5), (20, 6, 5, 1), (20, 1, 6, 5)])
def test_accepts_grey_in_every_layout(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = noise(0, (20, 6, 5))
    np.savez(
        tmp_path / "a.npz",
        x_train=np.asfortranarray(pixels.reshape(shape)),
        y_train=LABELS[:, None].astype(np.uint8),
    )
    data = load_train(spec(tmp_path / "a.npz", validation=1))
    assert data.info.channels == 1
    both = np.concatenate([data.train.images, data.val.images])
    assert sorted(map(bytes, both)) == sorted(map(bytes, pixels))


def test_own_validation_part(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays(x_val=noise(2, (4, 6, 5, 3)), y_val=LABELS[:4]))
    info = load_info(spec(tmp_path / "a.npz"))
    assert (info.num_train, info.num_val, info.num_test) == (20, 4, 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": noise(0, (20, 6, 5, 4))}, r"shape \(20, 6, 5, 4\); needs"),
        ({"x_train": noise(0, (20, 30))}, "needs .n, h, w."),
        ({"x_train": np.ones((20, 6, 5))}, "float64, only integers are read; convert images"),
        ({"x_train": np.ones((20, 6, 5), np.int32)}, "type int32; convert them to uint8"),
        ({"x_train": np.array([None, {}])}, "only integers are read"),
        ({"x_train": np.zeros((0, 6, 5), np.uint8)}, "needs at least one image"),
        ({"x_train": np.zeros((20, 0, 5), np.uint8)}, "every image needs pixels"),
        ({"y_train": LABELS[:19]}, r"one integer for each of the 20 images"),
        ({"y_train": np.eye(20, dtype=int)}, "one integer for each of the 20 images"),
        ({"y_train": LABELS - 1}, "labels from -1 to 1; classes count from 0"),
        ({"y_train": LABELS * 10**12}, "labels from 0 to 2000000000000; classes count from 0"),
        ({"y_train": LABELS.astype(bool)}, "one integer for each"),
        ({"y_train": LABELS * 0}, "every training image is of class 0"),
        ({"y_test": LABELS[:6] + 5}, "the test part has label 7, the training part 3 classes"),
        ({"x_test": noise(0, (6, 9, 5, 3))}, "both need one shape"),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "a.npz", allow_pickle=True, **arrays(**changes))
    with pytest.raises(DataError, match=message):
        load_test(spec(tmp_path / "a.npz"))


def test_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither a .npz file nor a folder"):
        load_info(spec(tmp_path / "none.npz"))
    np.savez(tmp_path / "a.npz", x_train=noise(0, (4, 2, 2)))
    with pytest.raises(DataError, match=r"holds x_train; needs train_images and train_labels"):
        load_info(spec(tmp_path / "a.npz"))
    with pytest.raises(DataError, match=r"holds nothing; needs"):
        load_info(spec(tmp_path))


def test_a_header_that_lies_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "a.npz", **arrays())
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["x_train.npy"] = content["x_train.npy"].replace(b"(20, 6, 5, 3)", b"(2000000, 6, 5, 3)")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    with pytest.raises(DataError, match=r"a.npz: x_train: cannot be read"):
        load_info(spec(tmp_path / "a.npz"))
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "1 KB")
    np.savez(tmp_path / "b.npz", **arrays())
    with pytest.raises(DataError, match=r"NASABLATE_DATA_MEMORY allows \(1000 B\); raise it"):
        load_info(spec(tmp_path / "b.npz"))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_give_one_kind_of_error(tmp_path: Path, data: st.DataObject) -> None:
    save = data.draw(st.sampled_from([np.savez, np.savez_compressed]))
    save(tmp_path / "good.npz", **arrays())
    good = (tmp_path / "good.npz").read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good[: data.draw(st.sampled_from([place, len(good)]))])
    if place < len(bad):
        bad[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / "bad.npz").write_bytes(bad)
    with contextlib.suppress(DataError):
        source = find_arrays(tmp_path / "bad.npz")["train"].read()
        assert np.array_equal(source.images.images.transpose(0, 2, 3, 1), arrays()["x_train"])
        assert np.array_equal(source.images.labels, LABELS)
