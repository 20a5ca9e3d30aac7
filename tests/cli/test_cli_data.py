"""``nasablate data`` through the real entry point."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from nasablate.cli.main import main
from tests.data.making import class_folders, noise, save_picture


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    monkeypatch.setenv("NASABLATE_DATA", str(root / "data"))
    return root


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["data", *map(str, arguments)])
    assert isinstance(end.value.code, int)
    return end.value.code


def pets(root: Path) -> Path:
    class_folders(root / "train", 12)
    save_picture(root / "train" / "dog" / "wide.jpg", noise(1, (30, 90)))
    class_folders(root / "test", 3)
    return root


def test_list(own_folders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "nasablate data fetch cifar100" in capsys.readouterr().out
    (own_folders / "data").mkdir()
    (own_folders / "data" / "cifar-10-binary.tar.gz").touch()
    assert run("list", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    sets = {entry["name"]: entry for entry in document["sets"]}
    assert document["root"] == str(own_folders / "data")
    assert sets["cifar10"]["found"].endswith("/cifar-10-binary.tar.gz")
    assert sets["cifar100"] | {"about": ""} == {
        "name": "cifar100",
        "about": "",
        "found": None,
        "remedy": "nasablate data fetch cifar100",
    }


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"folder:{pets(tmp_path)}"
    for file in ("train/dog/1.HEIC", "test/cat/2.heic", "test/cat/.hidden", "test/cat/Thumbs.db"):
        (tmp_path / file).touch()
    assert run("check", name, "--size", 8, "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["images"] == {"train": 23, "val": 2, "test": 6}
    assert np.sum([document["per_class"][part] for part in ("train", "val")], axis=0).tolist() == [
        12,
        13,
    ]
    assert {"height": 30, "width": 90, "images": 1} in document["stored_sizes"]
    assert document["left_out"] == {".heic": 2, ".db": 1}
    assert len(document["fingerprint"]) == 64
    # the test pictures are the first three of each class
    twice = document["duplicates"]["test in train"] + document["duplicates"]["test in val"]
    assert twice == 6
    assert any(warning.startswith("test in train: ") for warning in document["warnings"])
    assert run("check", name, "--size", 8) == 0
    captured = capsys.readouterr()
    assert "pictures of 2 sizes, from 5x4 to 30x90" in captured.out
    assert "left out     2 .heic, 1 .db\n" in captured.out
    assert "warning: test in train:" in captured.err


def test_check_warns_of_imbalance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class_folders(tmp_path, 40, ("cat",))
    class_folders(tmp_path, 3, ("emu",))
    assert run("check", f"folder:{tmp_path}") == 0
    assert "strong imbalance" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "folder:PETS"], "all images need one size: .*--size 32"),
        (["check", "folder:PETS/none"], "no folder is at .*/none; correct the path"),
        (["check", "cifar10"], "get it with 'nasablate data fetch cifar10'"),
        (["fetch", "mnist"], "'mnist' cannot be downloaded; cifar10 and cifar100 can"),
        (["fetch", "cifar10", "--mirror", "ftp://x"], "must begin with https://"),
        (["preview", "digits", "--out", "x.exe"], "must end with .png or .jpg"),
        (["preview", "digits", "--out", "none/x.png"], "its folder does not exist"),
        (["preview", "digits", "--out", "x.png", "--hold", "16"], "hold = 16: hold needs a size"),
    ],
)
def test_bad_input_is_one_clear_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    pets(tmp_path / "PETS")
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert re.search(message, captured.err)


@pytest.mark.parametrize("recipe", ["quick", "resnet-cifar", "vgg-imagenet"])
@pytest.mark.parametrize("hold", [(), ("--hold", 12)], ids=["as read", "held"])
def test_preview_shows_the_images_and_their_augmentation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], recipe: str, hold: tuple[object, ...]
) -> None:
    out = tmp_path / "sheet.png"
    name = f"folder:{pets(tmp_path / 'pets')}"
    size = ("--size", 8, *hold)
    assert run("preview", name, *size, "--out", out, "--recipe", recipe, "--images", 3) == 0
    assert capsys.readouterr().out == f"{out}\n"
    with Image.open(out) as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape[0] == 2 * 22 + 4 * 60  # a title of two lines, four rows of 56 and a margin
    colours = {tuple(colour) for colour in pixels.reshape(-1, 3)}
    assert len(colours) > 64


@pytest.mark.parametrize("present", [True, False])
def test_preview_writes_names_beyond_ascii_in_a_font_that_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, present: bool
) -> None:
    asked: list[str] = []
    usual = ImageFont.load_default(13)

    def truetype(name: str, _: float) -> object:
        asked.append(name)
        if not present or name != "DejaVuSans.ttf":
            raise OSError
        return usual

    class_folders(tmp_path / "pets", classes=("chat", "été"))
    monkeypatch.setattr(ImageFont, "truetype", truetype)
    monkeypatch.setattr(ImageFont, "load_default", lambda _: usual)
    assert run("preview", f"folder:{tmp_path / 'pets'}", "--out", tmp_path / "a.png") == 0
    assert asked[-1] == ("DejaVuSans.ttf" if present else "arial.ttf")
