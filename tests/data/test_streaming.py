"""What exceeds the memory budget gives the same bytes, batches and messages as in memory."""

import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nasablate.data import load_info, load_test, load_train, streaming
from nasablate.data.batches import eval_batches, train_batches
from nasablate.data.images import ImageSet
from nasablate.data.streaming import StreamedSet
from nasablate.errors import DataError
from nasablate.genome import DataSpec, load_genome, load_recipe
from nasablate.genome.augmentation import Augmentation
from nasablate.training import TrainJob, evaluate_test, fit
from tests.data.making import class_folders, noise
from tests.data.test_parquet import write

CPU = torch.device("cpu")
AUGMENTATION = Augmentation(pad=2, flip=True)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("NASABLATE_DATA_WORKERS", "0")
    return cache


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "100 B")


def photographs(root: Path, count: int, seed: int = 0) -> Path:
    """Save ImageNet-shaped JPEGs: about 500x375, some upright, some grey."""
    source = np.random.default_rng(seed)
    for number in range(count):
        small = Image.fromarray(noise(1000 * seed + number, (9, 12, 3)))
        width, height = 500 + int(source.integers(-40, 40)), 375 + int(source.integers(-40, 40))
        picture = small.resize((width, height) if number % 4 else (height, width))
        path = root / f"n{number % 3:08}" / f"{number:05}.jpeg"
        path.parent.mkdir(parents=True, exist_ok=True)
        (picture.convert("L") if number % 7 == 0 else picture).save(path, quality=80)
    return root


def parquet(root: Path) -> Path:
    """Save two shards of several row groups of mixed sizes."""
    folder = class_folders(root / "pictures", 12, shape=(9, 7, 3))
    for part in ("train", "test"):
        files = sorted(folder.rglob("*.png"))
        for shard in range(2):
            some = files[shard::2]
            write(
                root / f"{part}-0000{shard}-of-00002.parquet",
                [file.read_bytes() for file in some],
                [int(file.parent.name == "dog") for file in some],
            )
    return root


def epoch(data: Any, batch_size: int = 8, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    batches = train_batches(data.train, data.info, AUGMENTATION, batch_size, CPU)
    order, crops = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 1)
    images, labels = zip(*batches.epoch(order, crops), strict=True)
    assert len(images) == len(batches)
    return torch.cat(images), torch.cat(labels)


@pytest.mark.parametrize("kind", ["folder", "parquet"])
@pytest.mark.parametrize("mode", ["zero", "reflect"])
def test_streamed_batches_are_those_from_memory(
    kind: str, mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = class_folders(tmp_path, 12) if kind == "folder" else parquet(tmp_path)
    spec = DataSpec(name=f"{kind}:{root}", size=6, folds=3, fold=1)
    augmentation = Augmentation.parse({"pad": 2, "flip": True, "pad_mode": mode})
    monkeypatch.setattr("tests.data.test_streaming.AUGMENTATION", augmentation)
    kept = load_train(spec)
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "1 KB")
    streamed = load_train(spec)
    assert isinstance(kept.train, ImageSet)
    assert isinstance(streamed.train, StreamedSet)
    assert streamed.info == kept.info
    for ours, theirs in zip(epoch(streamed), epoch(kept), strict=True):
        assert torch.equal(ours, theirs)
        assert ours.stride() == theirs.stride()
    for ours, theirs in zip(
        eval_batches(streamed.val, streamed.info, 3, CPU),
        eval_batches(kept.val, kept.info, 3, CPU),
        strict=True,
    ):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


@pytest.mark.slow
@pytest.mark.usefixtures("little_memory")
def test_workers_change_nothing_on_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(name=f"folder:{photographs(tmp_path, 300)}", size=64)
    data = load_train(spec)
    assert (data.info.channels, data.info.height, data.info.num_train) == (3, 64, 270)
    alone = epoch(data, 64)
    for workers in ("1", "2"):
        monkeypatch.setenv("NASABLATE_DATA_WORKERS", workers)
        batches = train_batches(data.train, data.info, AUGMENTATION, 64, CPU)
        for _ in range(2):  # the workers serve several epochs
            order, crops = torch.Generator().manual_seed(3), torch.Generator().manual_seed(4)
            images, labels = zip(*batches.epoch(order, crops), strict=True)
            assert torch.equal(torch.cat(images), alone[0])
            assert torch.equal(torch.cat(labels), alone[1])
        assert len(multiprocessing.active_children()) == int(workers)
        del batches
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_an_epoch_given_up_leaves_the_next_one_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(name=f"folder:{class_folders(tmp_path, 40)}", size=6)
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "1 KB")
    data = load_train(spec)
    whole = epoch(data)
    monkeypatch.setenv("NASABLATE_DATA_WORKERS", "2")
    batches = train_batches(data.train, data.info, AUGMENTATION, 8, CPU)
    next(batches.epoch(torch.Generator(), torch.Generator()))
    order, crops = torch.Generator().manual_seed(3), torch.Generator().manual_seed(4)
    images, labels = zip(*batches.epoch(order, crops), strict=True)
    assert torch.equal(torch.cat(images), whole[0])
    assert torch.equal(torch.cat(labels), whole[1])


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_image_damaged_later_is_one_clear_message(
    workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(name=f"folder:{class_folders(tmp_path, 6)}", size=6, validation=2)
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "1 KB")
    monkeypatch.setenv("NASABLATE_DATA_WORKERS", workers)
    data = load_train(spec)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"\.png: no image that Pillow can decode") as error:
        epoch(data)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("little_memory")
def test_the_pass_over_all_images_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(name=f"folder:{class_folders(tmp_path, 6)}", validation=2)
    info = load_info(spec)

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(streaming, "examine", refuse)
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "101 B")  # not the result in memory
    assert load_info(spec) == info
    with pytest.raises(AssertionError):
        load_info(DataSpec(name=spec.name, validation=2, split_seed=1))
    monkeypatch.setattr("PIL.__version__", "another")
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "102 B")
    with pytest.raises(AssertionError):
        load_info(spec)


@pytest.mark.usefixtures("little_memory")
def test_parquet_is_copied_once_and_a_damaged_copy_renewed(
    tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(name=f"parquet:{parquet(tmp_path)}", validation=2)
    info = load_info(spec)
    (copy,) = (own_cache / "nasablate" / "packed").glob("*.bin")
    content = copy.read_bytes()
    copy.write_bytes(content[:-5])
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "102 B")
    data = load_train(spec)
    assert data.info == info
    assert copy.read_bytes() == content
    assert len(epoch(data)[1]) == 22


@pytest.mark.slow
def test_training_gives_the_same_curve_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_folders(tmp_path / "train", 20, shape=(20, 16, 3))
    class_folders(tmp_path / "test", 5, shape=(20, 16, 3))
    document = load_genome("resnet-20").document()
    genome = load_genome("resnet-20").parse(
        document | {"input": {"channels": 3, "height": 16, "width": 16}, "classes": 2}
    )
    recipe = load_recipe({"recipe": "quick", "epochs": 2, "batch_size": 16})
    spec = DataSpec(name=f"folder:{tmp_path}", size=16)
    results = []
    for memory, folder in (("1 GB", "kept"), ("1 KB", "streamed")):
        monkeypatch.setenv("NASABLATE_DATA_MEMORY", memory)
        job = TrainJob(
            genome, recipe, spec, seed=0, folder=tmp_path / "runs" / folder, keep_weights=True
        )
        outcome = fit(job, lambda _: True)
        curve = [(r.train_loss, r.val_loss, r.train_error, r.val_error) for r in outcome.records]
        results.append((curve, evaluate_test(job)))
    assert results[0] == results[1]
    assert isinstance(load_test(spec), StreamedSet)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("NASABLATE_DATA_MEMORY", "lots", "'lots': must be a size; e.g. 2 GiB"),
        ("NASABLATE_DATA_CACHE", "-1", "'-1': must be a size"),
        ("NASABLATE_DATA_WORKERS", "many", "'many': must be a whole number"),
    ],
)
def test_limits_that_are_none(
    variable: str, value: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DataSpec(name=f"folder:{class_folders(tmp_path, 6)}", validation=2)
    if variable.endswith("WORKERS"):
        monkeypatch.setenv("NASABLATE_DATA_MEMORY", "100 B")
    monkeypatch.setenv(variable, value)
    with pytest.raises(DataError, match=f"{variable} = {message}"):
        epoch(load_train(spec))
