import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nasablate.data import load_info, load_test, load_train
from nasablate.data.images import fingerprint
from nasablate.errors import DataError
from nasablate.genome import DataSpec
from tests.data.making import class_folders, noise, save_picture
from tests.permissions import as_mere_mortal


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def spec(root: Path, **fields: Any) -> DataSpec:
    return DataSpec(name=f"folder:{root}", **{"validation": 2, **fields})


def test_reads_class_folders_in_order_of_their_names(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "pets", classes=("dog", "cat", "emu"))
    (root / "notes.txt").write_text("no class")
    (root / "cat" / "Thumbs.db").write_bytes(b"no image")
    (root / ".git").mkdir()
    save_picture(root / "emu" / "deeper" / "extra.bmp", noise(9, (5, 4, 3)))
    info = load_info(spec(root))
    assert info.class_names == ("cat", "dog", "emu")
    assert (info.num_train, info.num_val, info.num_test) == (17, 2, 0)
    assert (info.channels, info.height, info.width) == (3, 5, 4)
    with pytest.raises(DataError, match=r"has no test part"):
        load_test(spec(root))


@pytest.mark.parametrize("val", ["val", "valid", "validation"])
def test_uses_the_parts_a_set_comes_with(tmp_path: Path, val: str) -> None:
    class_folders(tmp_path / "train", 6)
    class_folders(tmp_path / val, 2)
    assert (load_info(spec(tmp_path)).num_val, load_info(spec(tmp_path)).num_test) == (2, 4)
    class_folders(tmp_path / "test", 3)
    own = spec(tmp_path, validation=None)
    info = load_info(own)
    assert (info.num_train, info.num_val, info.num_test) == (12, 4, 6)
    assert len(load_test(own)) == 6
    for field in ({"validation": 0.5}, {"validation": None, "folds": 3}):
        with pytest.raises(DataError, match=r"comes with a validation part"):
            load_info(spec(tmp_path, **field))


@pytest.mark.parametrize("names", [("Train", "Val", "TEST"), ("training", "valid", "Testing")])
def test_parts_may_be_spelled_otherwise(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name, count in zip(names, (6, 2, 3), strict=True):
        class_folders(tmp_path / name, count)
    info = load_info(spec(tmp_path, validation=None))
    assert info.class_names == ("cat", "dog")
    assert (info.num_train, info.num_val, info.num_test) == (12, 4, 6)


def test_a_class_may_have_the_name_of_a_part_in_capitals(tmp_path: Path) -> None:
    class_folders(tmp_path, classes=("Bus", "Train"))
    assert load_info(spec(tmp_path)).class_names == ("Bus", "Train")


@pytest.mark.parametrize("memory", ["1 MB", "10 B"])
def test_links_that_move_to_another_class_take_their_images_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    pool = class_folders(tmp_path / "pool")
    for file in sorted(pool.rglob("*.png")):
        link = tmp_path / "pets" / file.parent.name / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", memory)
    before = load_info(spec(tmp_path / "pets"))
    (tmp_path / "pets" / "cat" / "005.png").rename(tmp_path / "pets" / "dog" / "!.png")
    (tmp_path / "pets" / "dog").rename(tmp_path / "pets" / "wolf")
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", f"1{memory}")  # not the result in memory
    data = load_train(spec(tmp_path / "pets"))
    labels = [*data.train.labels, *data.val.labels]
    assert data.info.class_names == ("cat", "wolf")
    assert np.bincount(labels).tolist() == [5, 7]
    assert data.info.fingerprint != before.fingerprint
    assert data.info.fingerprint == fingerprint(data.train, data.val)


def test_a_new_class_of_the_training_part_counts_in_the_others(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        class_folders(tmp_path / part)
    own = spec(tmp_path, validation=None)
    load_train(own)
    load_test(own)
    save_picture(tmp_path / "train" / "ape" / "0.png", noise(9, (5, 4, 3)))
    assert load_train(own).info.class_names == ("ape", "cat", "dog")
    assert set(load_train(own).val.labels) == {1, 2}
    assert set(load_test(own).labels) == {1, 2}


def test_names_the_first_image_of_another_size_and_the_remedy(tmp_path: Path) -> None:
    class_folders(tmp_path)
    save_picture(tmp_path / "dog" / "002.png", noise(1, (6, 4, 3)))
    with pytest.raises(DataError, match=r"dog/002.png: 6x4 pixels, .* 5x4 .*'size: 32'"):
        load_info(spec(tmp_path))
    info = load_info(spec(tmp_path, size=3))
    assert (info.channels, info.height, info.width) == (3, 3, 3)


def test_grey_stays_grey_until_one_image_has_colour(tmp_path: Path) -> None:
    class_folders(tmp_path, shape=(4, 4))
    save_picture(tmp_path / "cat" / "deep.png", noise(5, (4, 4)).astype(np.uint16) * 257)
    Image.fromarray(noise(6, (4, 4)) > 99).save(tmp_path / "cat" / "bits.png")
    assert load_info(spec(tmp_path)).channels == 1
    Image.new("P", (4, 4)).save(tmp_path / "dog" / "palette.gif")
    assert load_info(spec(tmp_path)).channels == 1
    save_picture(tmp_path / "dog" / "colour.png", noise(7, (4, 4, 3)))
    assert load_info(spec(tmp_path)).channels == 3


def test_a_grey_test_part_follows_the_training_part(tmp_path: Path) -> None:
    class_folders(tmp_path / "train")
    class_folders(tmp_path / "test", shape=(5, 4))
    grey = load_test(spec(tmp_path)).images
    assert grey.shape[1] == 3
    assert np.array_equal(grey[:, 0], grey[:, 2])
    class_folders(tmp_path / "train", shape=(5, 4))
    class_folders(tmp_path / "test")
    with pytest.raises(DataError, match=r"both need one shape"):
        load_test(spec(tmp_path))


def one(root: Path, **fields: Any) -> "np.ndarray[Any, Any]":
    """Return the picture ``cat/one.*`` as it is loaded, [c, h, w]; the others are black."""
    data = load_train(spec(root, **{"validation": 1, **fields}))
    images = np.concatenate([data.train.images, data.val.images])
    (chosen,) = [image for image in images if image.any()]
    return chosen


def black_and(root: Path, picture: Image.Image, suffix: str = "png", **options: Any) -> Path:
    for number in range(4):
        save_picture(
            root / ("cat", "dog")[number % 2] / f"{number}.png", np.zeros((6, 6), np.uint8)
        )
    picture.save(root / "cat" / f"one.{suffix}", **options)
    return root


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((6, 6, 4), np.uint8)
    pixels[..., 3] = np.arange(36).reshape(6, 6) * 7
    got = one(black_and(tmp_path, Image.fromarray(pixels)))
    expected = 255 - pixels[..., 3].astype(int)
    assert np.abs(got - expected).max() <= 1


def test_grey_with_transparency_is_laid_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((6, 6, 2), np.uint8)
    pixels[:3, :, 1] = 255
    got = one(black_and(tmp_path, Image.fromarray(pixels, "LA")))
    assert got.shape == (1, 6, 6)
    assert (got[0, :3] == 0).all()
    assert (got[0, 3:] == 255).all()


def test_palettes_are_expanded(tmp_path: Path) -> None:
    pixels = noise(3, (6, 6, 3))
    got = one(black_and(tmp_path, Image.fromarray(pixels).quantize(36)))
    assert np.array_equal(got, pixels.transpose(2, 0, 1))


def test_deep_grey_is_scaled(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 36).reshape(6, 6).astype(np.uint16)
    for suffix in ("png", "tiff"):
        got = one(black_and(tmp_path / suffix, Image.fromarray(deep), suffix))
        assert np.array_equal(got[0], np.floor(deep / 65535 * 255 + 0.5))


def test_fractions_are_refused(tmp_path: Path) -> None:
    black_and(tmp_path, Image.fromarray(np.ones((6, 6), np.float32)), "tiff")
    with pytest.raises(DataError, match=r"one.tiff: .*mode F; convert it"):
        load_info(spec(tmp_path))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = np.zeros((6, 6), np.uint8)
    upright[0, :4] = 255
    undo = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    root = black_and(tmp_path, Image.fromarray(np.ascontiguousarray(undo)), exif=exif)
    assert np.array_equal(one(root)[0], upright)


def test_orientation_counts_for_the_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    class_folders(tmp_path, shape=(5, 4))
    save_picture(tmp_path / "dog" / "x.jpg", noise(1, (4, 5)), exif=exif)
    assert load_info(spec(tmp_path)).height == 5


def test_scaling_takes_the_largest_central_square(tmp_path: Path) -> None:
    wide = Image.fromarray(noise(3, (40, 100, 3)))
    got = one(black_and(tmp_path, wide), size=8)
    square = wide.resize((20, 8), Image.Resampling.LANCZOS).crop((6, 0, 14, 8))
    assert np.array_equal(got.transpose(1, 2, 0), np.asarray(square))


def save_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def empty_class(root: Path) -> None:
    (root / "train" / "emu").mkdir()


def other_kinds(root: Path) -> None:
    empty_class(root)
    save_bytes(root / "train" / "emu" / "a.HEIC", b"a photograph")


def one_class(root: Path) -> None:
    (root / "train" / "dog").rename(root / "dog")


def unknown_class(root: Path) -> None:
    class_folders(root / "test", 1, ("emu",))


def empty_test(root: Path) -> None:
    (root / "test").mkdir()


def loop(root: Path) -> None:
    (root / "train" / "dog" / "again").symlink_to(root / "train", target_is_directory=True)


def self_link(root: Path) -> None:
    (root / "train" / "dog" / "self").symlink_to("self")


def dangling(root: Path) -> None:
    (root / "train" / "dog" / "a.png").symlink_to("nothing.png")


def text(root: Path) -> None:
    save_bytes(root / "train" / "dog" / "a.jpg", b"I am no image\n" * 9)


def empty_file(root: Path) -> None:
    save_bytes(root / "train" / "dog" / "a.jpg", b"")


def bomb(root: Path) -> None:
    Image.new("1", (9500, 9500)).save(root / "train" / "dog" / "a.png")


def postscript(root: Path) -> None:
    save_bytes(
        root / "train" / "dog" / "a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 4\n"
    )


def truncated(root: Path) -> None:
    path = root / "train" / "dog" / "a.jpg"
    save_picture(path, noise(0, (5, 4, 3)))
    path.write_bytes(path.read_bytes()[:-20])


def deep(root: Path) -> None:
    (root / "train" / "dog" / "/".join("x" * 70)).mkdir(parents=True)


def bytes_class(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root / "train") + b"/caf\xe9")).mkdir()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (empty_class, "emu: holds no image; put images there or remove"),
        (other_kinds, "emu: holds no image that is read, but 1 .heic; put images there"),
        (one_class, "train: holds 1 class folder; at least 2"),
        (unknown_class, "test/emu: the training part has no class of this name"),
        (empty_test, "test: holds no image"),
        (loop, "a symbolic link that leads back to a folder above; remove it"),
        (self_link, "self: a symbolic link that leads nowhere .*; remove it"),
        (dangling, "a.png: a symbolic link that leads nowhere"),
        (text, "a.jpg: no image that Pillow can decode .*; replace or remove it"),
        (empty_file, "a.jpg: no image that Pillow can decode"),
        (bomb, "a.png: .*9500x9500 pixels; at most 89478485"),
        (postscript, "a.png: no image that Pillow can decode"),
        (truncated, "a.jpg: no image that Pillow can decode"),
        (deep, "64 folders inside one another"),
        (bytes_class, r"caf\\xe9: the name of this class is not UTF-8; rename"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_names_what_is_wrong(tmp_path: Path, damage: Any, message: str) -> None:
    class_folders(tmp_path / "train")
    damage(tmp_path)
    with pytest.raises(DataError, match=message) as error:
        load_info(spec(tmp_path))
    assert str(tmp_path) in str(error.value)
    str(error.value).encode()  # can be printed


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder is at .*; correct the path after 'folder:'"):
        load_info(spec(tmp_path / "none"))
    with pytest.raises(DataError, match=r"known: .*folder:PATH"):
        load_info(DataSpec(name="folder:"))


def test_file_names_need_not_be_text(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "dog" / "000.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/dog/\xe9.png"))
    assert load_info(spec(tmp_path)).num_train == 10


def test_an_unreadable_folder_is_an_error(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "dog").chmod(0)
    try:
        with (
            as_mere_mortal(),
            pytest.raises(DataError, match=r"dog: cannot be read .* check the path and the"),
        ):
            load_info(spec(tmp_path))
    finally:
        (tmp_path / "dog").chmod(0o700)


def test_one_class_among_the_labels_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x_train=noise(0, (9, 4, 4)), y_train=np.ones(9, np.int64))
    with pytest.raises(DataError, match=r"every training image is of class 1"):
        load_info(DataSpec(name=f"npz:{tmp_path}/x.npz"))
