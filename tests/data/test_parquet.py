import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from nasablate.data import load_info, load_test, load_train
from nasablate.data.parquet import ParquetImages
from nasablate.errors import DataError
from nasablate.genome import DataSpec

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("NASABLATE_DATA", raising=False)


def picture(value: int, shape: tuple[int, ...] = (5, 4, 3)) -> bytes:
    pixels = np.random.default_rng(value).integers(0, 256, shape, dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write(
    path: Path,
    images: Sequence[bytes | None],
    labels: Sequence[int | None],
    *,
    names: Sequence[str] = (),
    columns: tuple[str, str] = ("img", "label"),
    plain: bool = False,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells: list[Any] = list(images) if plain else [{"bytes": b, "path": None} for b in images]
    kind = pa.binary() if plain else pa.struct({"bytes": pa.binary(), "path": pa.string()})
    table = pa.table({columns[0]: pa.array(cells, kind), columns[1]: pa.array(labels, pa.int64())})
    if names:
        features = {columns[1]: {"names": list(names), "_type": "ClassLabel"}}
        metadata = {"huggingface": json.dumps({"info": {"features": features}})}
        table = table.replace_schema_metadata(metadata)
    pq.write_table(table, path)


def spec(folder: Path, **fields: Any) -> DataSpec:
    return DataSpec(name=f"parquet:{folder}", **{"validation": 2, **fields})


def everything(data_spec: DataSpec) -> dict[bytes, int]:
    data = load_train(data_spec)
    parts = [data.train, data.val]
    return {
        bytes(x): int(y) for part in parts for x, y in zip(part.images, part.labels, strict=True)
    }


def test_reads_several_shards_with_names_of_the_schema(tmp_path: Path) -> None:
    names = ["cat", "dog", "never seen"]
    write(
        tmp_path / "train-00000-of-00002.parquet",
        [picture(i) for i in range(6)],
        [0, 1] * 3,
        names=names,
    )
    write(
        tmp_path / "train-00001-of-00002.parquet",
        [picture(i) for i in range(6, 8)],
        [0, 1],
        names=names,
    )
    write(tmp_path / "test-00000-of-00001.parquet", [picture(9)], [1], names=names)
    info = load_info(spec(tmp_path))
    assert info.class_names == ("cat", "dog", "never seen")
    assert (info.classes, info.num_train, info.num_val, info.num_test) == (3, 6, 2, 1)
    assert (info.channels, info.height, info.width) == (3, 5, 4)
    found = everything(spec(tmp_path))
    for value in range(8):
        pixels = np.asarray(Image.open(io.BytesIO(picture(value)))).transpose(2, 0, 1)
        assert found[bytes(np.ascontiguousarray(pixels))] == value % 2
    test = load_test(spec(tmp_path))
    assert (len(test), test.labels.tolist()) == (1, [1])


@pytest.mark.parametrize("columns", [("image", "fine_label"), ("img", "labels")])
@pytest.mark.parametrize("plain", [False, True])
def test_accepts_other_columns_and_plain_bytes(
    tmp_path: Path, columns: tuple[str, str], *, plain: bool
) -> None:
    images = [picture(i, (6, 6)) for i in range(6)]
    write(tmp_path / "data" / "train-0.parquet", images, [0, 1] * 3, columns=columns, plain=plain)
    info = load_info(spec(tmp_path))
    assert (info.channels, info.classes, info.class_names) == (1, 2, ("0", "1"))


def test_one_image_with_colour_makes_all_of_them_colour(tmp_path: Path) -> None:
    images = [picture(0, (5, 4)), picture(1, (5, 4)), picture(2, (5, 4)), picture(3)]
    write(tmp_path / "train-0.parquet", images, [0, 1, 0, 1])
    write(tmp_path / "test-0.parquet", [picture(4, (5, 4))], [0])
    assert load_info(spec(tmp_path)).channels == 3
    (grey,) = load_test(spec(tmp_path)).images
    assert (grey == grey[0]).all()


def test_names_the_first_image_of_another_size_across_shards(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [picture(0), picture(1)], [0, 1])
    write(tmp_path / "train-1.parquet", [picture(2, (5, 5, 3))], [0])
    with pytest.raises(DataError, match=r"train-1.parquet: row 0: 5x5 pixels, .*size: 32"):
        load_info(spec(tmp_path))


@pytest.mark.parametrize(
    ("image", "message"),
    [(b"no image", "row 1: no image that Pillow can decode"), (None, "row 1: has no image bytes")],
)
def test_names_an_image_that_cannot_be_read(
    tmp_path: Path, image: bytes | None, message: str
) -> None:
    write(tmp_path / "train-0.parquet", [picture(0), image, picture(2)], [0, 1, 0])
    with pytest.raises(DataError, match=message):
        load_info(spec(tmp_path))


@pytest.mark.parametrize("label", [None, -1])
def test_every_image_needs_a_label(tmp_path: Path, label: int | None) -> None:
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(4)], [0, label, 1, 0])
    with pytest.raises(DataError, match=f"row 1: label = {label}"):
        load_info(spec(tmp_path))


def test_refuses_labels_without_a_name(tmp_path: Path) -> None:
    write(
        tmp_path / "train-0.parquet", [picture(i) for i in range(4)], [0, 1, 2, 0], names=["a", "b"]
    )
    with pytest.raises(DataError, match="label 2 has no name"):
        load_info(spec(tmp_path))


def test_refuses_missing_columns(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [picture(0)], [0], columns=("picture", "label"))
    with pytest.raises(DataError, match="has columns picture, label; needs one of image, img"):
        load_info(spec(tmp_path))


def test_refuses_an_incomplete_set_of_shards(tmp_path: Path) -> None:
    write(tmp_path / "train-00000-of-00003.parquet", [picture(i) for i in range(4)], [0, 1] * 2)
    with pytest.raises(DataError, match="1 of 3 'train' shards are there"):
        load_info(spec(tmp_path))


def test_refuses_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "train-0.parquet").write_bytes(b"PAR1 nonsense")
    with pytest.raises(DataError, match="not a Parquet file"):
        load_info(spec(tmp_path))


def test_training_works_without_a_test_part(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(6)], [0, 1] * 3)
    assert load_info(spec(tmp_path)).num_test == 0
    with pytest.raises(DataError, match=r"has no test part; add one"):
        load_test(spec(tmp_path))


def test_validation_files_serve_as_test_part_if_there_is_no_other(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(6)], [0, 1] * 3)
    write(tmp_path / "validation-0.parquet", [picture(7), picture(8)], [0, 1])
    assert len(load_test(spec(tmp_path))) == 2
    write(tmp_path / "test-0.parquet", [picture(9)], [0])
    own = spec(tmp_path, validation=None)
    assert len(load_test(own)) == 1
    assert (load_info(own).num_train, load_info(own).num_val) == (6, 2)
    with pytest.raises(DataError, match=r"data\.validation = 2: .* comes with a validation part"):
        load_info(spec(tmp_path))


def test_a_test_part_without_labels_is_none_and_validation_stays(tmp_path: Path) -> None:
    pictures = [picture(i) for i in range(6)]
    write(tmp_path / "train-00000-of-00001.parquet", pictures, [0, 1] * 3)
    write(tmp_path / "validation-00000-of-00001.parquet", pictures[:2], [0, 1])
    write(tmp_path / "test-00000-of-00001.parquet", pictures[:3], [-1] * 3)
    own = spec(tmp_path, validation=None)
    info = load_info(own)
    assert (info.num_train, info.num_val, info.num_test) == (6, 2, 0)
    with pytest.raises(DataError, match="has no test part"):
        load_test(own)


def test_test_images_must_fit(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(6)], [0, 1] * 3)
    write(tmp_path / "test-0.parquet", [picture(7, (6, 6, 3))], [0])
    with pytest.raises(DataError, match="both need one shape"):
        load_test(spec(tmp_path))


def test_missing_folder_names_path_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"the folder is missing at .*/none; correct the path"):
        load_info(spec(tmp_path / "none"))
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path / "root"))
    with pytest.raises(DataError, match=r"root/cifar10-jpeg; put Parquet files .*NASABLATE_DATA"):
        load_info(DataSpec(name="cifar10-jpeg"))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(6)], [0, 1] * 3)
    before = load_info(spec(tmp_path)).fingerprint
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(1, 9)], [0, 1] * 4)
    info = load_info(spec(tmp_path))
    assert info.num_train == 6
    assert info.fingerprint != before


def test_a_column_with_fewer_images_than_labels_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by fuzzing: a changed footer can make the two columns differ in length."""
    write(tmp_path / "train-0.parquet", [picture(i) for i in range(4)], [0, 1, 1, 0])
    part = ParquetImages([tmp_path / "train-0.parquet"])
    monkeypatch.setattr("nasablate.data.parquet._read_images", lambda _: [picture(0)])
    with pytest.raises(DataError, match=r"row 3: damaged \(fewer images than labels\)"):
        part.open(3)
