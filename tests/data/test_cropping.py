"""Crops out of larger images: every offset, Pillow's own filter, seeds, memory as from disk."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nasablate.data import load_info, load_test, load_train
from nasablate.data.augment import EvalBatches, TrainBatches
from nasablate.data.batches import eval_batches, train_batches
from nasablate.data.cropping import as_read, cut, cut_together
from nasablate.data.images import DataInfo, ImageSet, channel_statistics, frozen
from nasablate.data.streaming import StreamedSet
from nasablate.data.views import View, all_views
from nasablate.errors import SpecError
from nasablate.genome import DataSpec
from nasablate.genome.augmentation import Augmentation
from nasablate.genome.evaluation import Evaluation
from tests.data.making import class_folders, noise

CPU = torch.device("cpu")
JITTER = {"crop": {"size": 6, "min_side": 8, "max_side": 16}, "flip": True}


def held_set(count: int, held: int, size: int) -> tuple[ImageSet, DataInfo]:
    images = noise(0, (count, 3, held, held))
    mean, std = channel_statistics(images)
    held_or_not = None if held == size else held
    info = DataInfo("x", 3, size, size, count, (), count, 0, 0, "", mean, std, held_or_not)
    return frozen(images, np.arange(count)), info


def pixels(images: torch.Tensor, info: DataInfo) -> np.ndarray:
    """Return normalised [B, C, H, W] as uint8 [B, H, W, C]."""
    values = images.permute(0, 2, 3, 1).double().numpy() * np.array(info.std) + np.array(info.mean)
    return np.rint(values * 255).astype(np.uint8)


def epoch(
    data: ImageSet, info: DataInfo, document: dict[str, Any], seed: int = 0, batch_size: int = 64
) -> tuple[torch.Tensor, torch.Tensor]:
    batches = TrainBatches(data, info, Augmentation.parse(document), batch_size, CPU)
    order, draws = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 99)
    images, labels = zip(*batches.epoch(order, draws), strict=True)
    return torch.cat(images), torch.cat(labels)


def test_every_offset_of_a_crop_occurs_equally_often_and_no_pixel_changes() -> None:
    """4 of 6 pixels: nine places, each mirrored and not."""
    data, info = held_set(40, 6, 4)
    plain = data.images.transpose(0, 2, 3, 1)
    places: Counter[tuple[int, int, bool]] = Counter()
    for seed in range(20):
        document = {"crop": {"size": 4, "min_side": 6, "max_side": 6}, "flip": True}
        images, labels = epoch(data, info, document, seed)
        for image, label in zip(pixels(images, info), labels.tolist(), strict=True):
            found = [
                (top, left, flip)
                for top in range(3)
                for left in range(3)
                for flip in (False, True)
                if np.array_equal(
                    image, plain[label, top : top + 4, left : left + 4][:, :: -1 if flip else 1]
                )
            ]
            assert len(found) == 1
            places.update(found)
    assert len(places) == 18
    assert min(places.values()) > 22  # 44 expected each
    assert max(places.values()) < 72


def test_jittered_sides_are_uniform_and_boxes_stay_inside() -> None:
    """On two ramps the slope of a crop tells its side, the first pixel its place."""
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (2000, 3, 64, 64))
    data = frozen(np.ascontiguousarray(ramp), np.zeros(2000, dtype=np.int64))
    mean, std = channel_statistics(data.images)
    info = DataInfo("x", 3, 32, 32, 2, (), 2000, 0, 0, "", mean, std, 64)
    rule = {"crop": {"size": 32, "min_side": 40, "max_side": 80}}
    images, _ = epoch(data, info, rule, batch_size=500)
    row = (images[:, 0, 0] * std[0] + mean[0]) * 255 / 3
    wide = (row[:, 24] - row[:, 8]) * 2
    side = 64 * 32 / wide
    assert side.min() > 39
    assert side.max() < 82
    assert side.mean() == pytest.approx(60, abs=1)
    left = row[:, 16] + 0.5 - wide / 2 - wide / 64
    assert left.min() > -1
    assert (left + wide).max() < 65
    share = left / (64 - wide)
    assert share.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("box", [(0, 0, 40, 40), (3, 1, 31, 21), (7, 9, 12, 12), (5, 5, 9, 30)])
@pytest.mark.parametrize("size", [(12, 12), (9, 31)])
def test_scaling_is_that_of_pillow_one_by_one_and_all_at_once(
    box: tuple[int, int, int, int], size: tuple[int, int]
) -> None:
    """The kernel for bytes rounds between the axes, so a level of difference is allowed."""
    images = noise(5, (3, 40, 40, 3))
    top, left, tall, wide = box
    expected = [
        Image.fromarray(image[top : top + tall, left : left + wide]).resize(
            size[::-1], Image.Resampling.BILINEAR
        )
        for image in images
    ]
    boxes, batch = torch.tensor([box] * 3), torch.tensor(images)
    for found in (cut(batch, boxes, size), cut_together(batch, boxes, size)):
        assert found.shape == (3, *size, 3)
        difference = found.numpy().astype(int) - np.stack(expected).astype(int)
        assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("cutter", [cut, cut_together])
def test_boxes_that_keep_their_size_are_copied(cutter: Any) -> None:
    batch = torch.tensor(noise(1, (5, 9, 7, 1)))
    assert torch.equal(cutter(batch, torch.tensor([[0, 0, 9, 7]] * 5), (9, 7)), batch)
    places = [(0, 3), (1, 0), (2, 1), (3, 2), (4, 3)]
    found = cutter(batch, torch.tensor([[*place, 5, 4] for place in places]), (5, 4))
    for image, crop, (top, left) in zip(batch, found, places, strict=True):
        assert torch.equal(crop, image[top : top + 5, left : left + 4])


@pytest.mark.parametrize("document", [JITTER, {"resized_crop": {}}, {"flip": True}])
def test_seeds_decide_and_batches_change_not_a_bit(document: dict[str, Any]) -> None:
    data, info = held_set(70, 16, 6)
    first = epoch(data, info, document, 3)
    for batch_size in (1000, 8):
        again = epoch(data, info, document, 3, batch_size)
        assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0], epoch(data, info, document, 4)[0])


def test_a_crop_needs_no_larger_images() -> None:
    """Its share of the picture is the same, from fewer pixels."""
    data, info = held_set(8, 7, 7)
    images, labels = epoch(data, info, {"crop": {"size": 224, "min_side": 256, "max_side": 256}})
    assert images.shape == (8, 3, 7, 7)
    for image, label in zip(pixels(images, info), labels.tolist(), strict=True):
        plain = data.images[label].transpose(1, 2, 0)
        crops = [
            Image.fromarray(np.ascontiguousarray(plain[top : top + 6, left : left + 6]))
            for top in (0, 1)
            for left in (0, 1)
        ]
        scaled = [np.asarray(crop.resize((7, 7), Image.Resampling.BILINEAR)) for crop in crops]
        assert any(np.abs(image.astype(int) - one).max() <= 1 for one in scaled)


def test_held_images_are_read_once_more_in_full() -> None:
    """Without a crop the network sees the whole picture, scaled."""
    data, info = held_set(5, 16, 4)
    images, labels = epoch(data, info, {})
    for image, label in zip(pixels(images, info), labels.tolist(), strict=True):
        picture = Image.fromarray(np.ascontiguousarray(data.images[label].transpose(1, 2, 0)))
        expected = np.asarray(picture.resize((4, 4), Image.Resampling.BILINEAR))
        assert np.abs(image.astype(int) - expected.astype(int)).max() <= 1
    seen = torch.cat([images for images, _ in EvalBatches(data, info, 2, CPU)])
    assert torch.equal(seen[labels], images)
    read = as_read(data.images, info)
    np.testing.assert_array_equal(pixels(seen, info), read.transpose(0, 2, 3, 1))
    small = dataclasses.replace(info, held=None)
    padding = {"pad": 1, "flip": True}
    held, kept = epoch(data, info, padding), epoch(frozen(read, data.labels), small, padding)
    assert all(torch.equal(one, other) for one, other in zip(held, kept, strict=True))


def test_views_are_the_corners_and_the_centre_and_their_mirror_images() -> None:
    data, info = held_set(3, 8, 5)
    spec = Evaluation(crops=10, size=5, sides=(8,))
    ((seen, labels),) = EvalBatches(data, info, 3, CPU).seen(all_views(spec))
    assert labels.tolist() == [0, 1, 2]
    plain = data.images.transpose(0, 2, 3, 1)
    places = [(0, 0), (0, 3), (3, 0), (3, 3), (2, 2)]  # the centre's 1.5 is rounded to even
    cuts = [plain[:, top : top + 5, left : left + 5] for top, left in places]
    expected = [*cuts, *(crop[:, :, ::-1] for crop in cuts)]
    for found, wanted in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(pixels(found, info), wanted)


@pytest.mark.parametrize(
    ("crops", "sides", "count"), [(1, 1, 1), (2, 3, 6), (10, 2, 20), (12, 4, 48), (50, 3, 150)]
)
def test_papers_numbers_of_views(crops: Any, sides: int, count: int) -> None:
    spec = Evaluation(crops=crops, size=224, sides=(256, 384, 512, 640)[:sides])
    views = all_views(spec)
    assert len(views) == count
    repeated = 6 if crops == 12 else 0  # the whole picture is the same at every side
    assert len(set(views)) == count - repeated
    assert sum(view.mirrored for view in views) == (count // 2 if crops > 1 else 0)


def folder(root: Path) -> Path:
    for part in ("train", "test"):
        class_folders(root / part, 12, shape=(20, 17, 3))
    return root


@pytest.mark.parametrize("document", [JITTER, {"pad": 1, "flip": True}], ids=["crop", "pad"])
def test_streamed_crops_and_views_are_those_from_memory(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NASABLATE_DATA_WORKERS", "0")
    spec = DataSpec(name=f"folder:{folder(tmp_path / 'set')}", size=6, hold=16)
    found: list[list[torch.Tensor]] = []
    views = all_views(Evaluation(crops=10, size=6, sides=(8, 12)))
    infos: list[DataInfo] = []
    for memory in ("1 GB", "1 KB"):
        monkeypatch.setenv("NASABLATE_DATA_MEMORY", memory)
        data = load_train(spec)
        assert isinstance(data.train, StreamedSet) == (memory == "1 KB")
        infos.append(data.info)
        batches = train_batches(data.train, data.info, Augmentation.parse(document), 8, CPU)
        order, draws = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
        found.append([images for images, _ in batches.epoch(order, draws)])
        for part in (data.val, load_test(spec)):
            judged = eval_batches(part, data.info, 5, CPU)
            found[-1] += [view for seen, _ in judged.seen(views) for view in seen]
            found[-1] += [images for images, _ in judged]
    assert infos[0] == infos[1]
    assert (infos[0].height, infos[0].width, infos[0].held) == (6, 6, 16)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    assert found[0][0].shape[1:] == (3, 6, 6)


def test_held_images_have_another_fingerprint_but_an_equal_size_has_not(tmp_path: Path) -> None:
    name = f"folder:{folder(tmp_path)}"
    plain, same, larger = (
        load_info(DataSpec(name=name, size=6, hold=hold)) for hold in (None, 6, 16)
    )
    assert plain == same
    assert larger.fingerprint != plain.fingerprint
    assert DataSpec(name=name, size=6).document() == {
        "name": name, "size": 6, "subset": None, "validation": None, "split_seed": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "document", "message"),
    [
        (DataSpec, {"name": "digits", "hold": 16}, "hold needs a size of at most 16"),
        (DataSpec, {"name": "digits", "size": 16, "hold": 8}, "size is 16"),
        (Augmentation, {"crop": {"size": 300}}, "size 300, min_side 256"),
        (Augmentation, {"crop": {"min_side": 300}}, "max_side 256"),
        (Augmentation, {"crop": {}, "pad": 4}, "pad and crop both crop; set pad: 0"),
        (Augmentation, {"crop": {}, "resized_crop": {}}, "set resized_crop: null"),
        (Evaluation, {"sides": [200]}, "200 is smaller than size 224"),
        (Evaluation, {"sides": [256, 256]}, "one is given twice"),
        (Evaluation, {"crops": 144}, "crops"),
        (Evaluation, {"sides": []}, "sides"),
    ],
)
def test_what_fits_not_together_is_refused(
    model: Any, document: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        model.parse(document)


def test_one_view_of_several_sides_is_the_centre_of_the_middle_one() -> None:
    from nasablate.data.views import one_view

    spec = Evaluation(crops=50, size=224, sides=(512, 256, 384))
    assert one_view(spec) == (View(0.5, 0.5, 224 / 384),)
