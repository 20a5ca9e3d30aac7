"""Augmentations beside crop and flip: distributions, naive forms, seeds, streamed as in memory."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasablate.data import load_train
from nasablate.data.augment import TrainBatches
from nasablate.data.images import ImageSet, frozen
from nasablate.data.streaming import StreamedSet
from nasablate.errors import DataError, InputError, SpecError
from nasablate.genome import DataSpec
from nasablate.genome.augmentation import Augmentation
from tests.data import test_streaming
from tests.data.making import class_folders
from tests.data.test_augment import CPU, info_of, random_set

ALL: dict[str, dict[str, Any]] = {
    "resized_crop": {"resized_crop": {}},
    "colour_jitter": {"colour_jitter": {}},
    "lighting": {"lighting": 0.1},
    "cutout": {"cutout": {"size": 2}},
    "erasing": {"erasing": {"p": 0.7}},
    "erasing_colour": {"erasing": {"fill": "colour"}},
    "mixup": {"mixup": {}},
    "cutmix": {"cutmix": {"p": 1.0}},
    "both": {"mixup": {"p": 0.5}, "cutmix": {}},
}


def epoch(
    data: ImageSet, document: dict[str, Any], seed: int = 0, batch_size: int = 1000
) -> tuple[torch.Tensor, torch.Tensor]:
    spec = Augmentation.parse(document)
    batches = TrainBatches(data, info_of(data), spec, batch_size, CPU)
    order, draws = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 99)
    images, labels = zip(*batches.epoch(order, draws), strict=True)
    return torch.cat(images), torch.cat(labels)


def constant(value: int, count: int = 600, size: tuple[int, int] = (8, 6)) -> ImageSet:
    return frozen(np.full((count, 3, *size), value, dtype=np.uint8), np.arange(count) % 5)


@pytest.mark.parametrize("name", ALL)
def test_seeds_decide_everything(name: str) -> None:
    data = random_set(40)
    first, again = epoch(data, ALL[name], 3), epoch(data, ALL[name], 3)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0], epoch(data, {}, 3)[0])
    assert first[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", [name for name in ALL if "mix" not in name and name != "both"])
def test_batch_size_changes_nothing(name: str) -> None:
    data = random_set(40)
    torch.testing.assert_close(epoch(data, ALL[name])[0], epoch(data, ALL[name], batch_size=8)[0])


def test_arms_that_differ_in_one_kind_share_the_others() -> None:
    """The cut-out pixels are the same with and without jitter before them."""
    data = random_set(40)
    plain = epoch(data, {"cutout": {"size": 3}, "flip": True, "pad": 1})[0]
    both = epoch(data, {"cutout": {"size": 3}, "flip": True, "pad": 1, "colour_jitter": {}})[0]
    assert torch.equal(plain == 0, both == 0)


def test_cutout_is_a_clipped_square_around_a_uniform_pixel() -> None:
    data = random_set(1500, height=5, width=4)
    images, labels = epoch(data, {"cutout": {"size": 3}})
    plain = {int(y): x for x, y in zip(*epoch(data, {}, 7), strict=True)}
    centres: Counter[tuple[int, ...]] = Counter()
    for image, label in zip(images, labels.tolist(), strict=True):
        masks = {}
        for y in range(5):
            for x in range(4):
                expected = plain[label].clone()
                expected[:, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 0
                masks[y, x] = torch.equal(expected, image)
        found = [centre for centre, equal in masks.items() if equal]
        assert len(found) == 1
        centres.update(found)
    assert len(centres) == 20
    assert min(centres.values()) > 45  # 75 expected each
    assert max(centres.values()) < 110


def test_cutout_and_erasing_leave_the_share_alone_that_they_are_told_to() -> None:
    data = random_set(2000)
    plain = {int(y): x for x, y in zip(*epoch(data, {}), strict=True)}
    for document in ({"cutout": {"size": 2, "p": 0.3}}, {"erasing": {"p": 0.3}}):
        images, labels = epoch(data, document)
        changed = [
            not torch.equal(plain[y], x) for x, y in zip(images, labels.tolist(), strict=True)
        ]
        assert np.mean(changed) == pytest.approx(0.3, abs=0.04)


def test_erased_areas_and_shapes_are_those_of_the_rule() -> None:
    data = random_set(800, height=40, width=40)
    rule = {"p": 1.0, "min_area": 0.1, "max_area": 0.3, "max_aspect": 2.0}
    images, _ = epoch(data, {"erasing": rule})
    erased = (images == 0).all(1).float()
    heights = erased.amax(2).sum(1)
    widths = erased.amax(1).sum(1)
    areas = (heights * widths / 1600).numpy()
    assert areas.min() > 0.08
    assert areas.max() < 0.33
    assert areas.mean() == pytest.approx(0.2, abs=0.01)
    aspects = (widths / heights).log().numpy()
    assert abs(aspects.mean()) < 0.05
    assert np.abs(aspects).max() < np.log(2.0) + 0.1


def test_resized_crop_of_everything_is_the_image() -> None:
    data = random_set(30, height=6, width=6)
    crop = {"min_area": 1.0, "max_area": 1.0, "max_aspect": 1.0}
    whole = epoch(data, {"resized_crop": crop})
    assert torch.equal(whole[0], epoch(data, {})[0])


def test_resized_crops_come_from_everywhere_at_all_scales() -> None:
    """On a ramp the left edge and the slope of a crop tell its place and its width."""
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8) * 3, (3000, 3, 64, 64))
    data = frozen(np.ascontiguousarray(ramp), np.zeros(3000, dtype=np.int64))
    images, _ = epoch(data, {"resized_crop": {"min_area": 0.25, "max_aspect": 1.0}})
    info = info_of(data)
    pixels = (images[:, 0, 0] * info.std[0] + info.mean[0]) * 255 / 3
    wide = (pixels[:, 48] - pixels[:, 16]) * 2
    left = pixels[:, 16] - wide / 4
    share = (wide / 64) ** 2
    assert share.min() > 0.22
    assert share.mean() == pytest.approx(0.625, abs=0.02)
    rest = (left / (64 - wide).clamp(min=1))[wide < 50]
    assert rest.mean() == pytest.approx(0.5, abs=0.05)
    assert rest.min() < 0.1
    assert rest.max() > 0.9


def test_jitter_equals_the_naive_form() -> None:
    from nasablate.data.colour import jitter

    source = torch.Generator().manual_seed(0)
    batch = torch.rand((6, 4, 5, 3), generator=source) * 255
    factors = 0.6 + 0.8 * torch.rand((6, 3), generator=source)
    order = torch.rand((6, 3), generator=source).argsort(1)
    for image, f, places, found in zip(
        batch, factors, order, jitter(batch, factors, order), strict=True
    ):
        expected = image
        for number in places.tolist():
            grey = expected @ torch.tensor([0.299, 0.587, 0.114])
            other = (torch.zeros(()), grey.mean(), grey[:, :, None])[number]
            expected = f[number] * expected + (1 - f[number]) * other
        torch.testing.assert_close(found, expected)


def test_lighting_moves_all_pixels_of_an_image_alike() -> None:
    data = constant(100)
    images, _ = epoch(data, {"lighting": 0.1})
    info = info_of(data)
    std = torch.tensor(info.std).clamp(min=1 / 255)[None, :, None, None]
    moves = images * std
    assert torch.allclose(moves, moves[:, :, :1, :1], atol=1e-5)
    spread = moves[:, :, 0, 0].std(0)
    lengths, axes = np.array([0.2175, 0.0188, 0.0045]), np.array([0.5675, 0.7192, 0.4009])
    assert spread[0] == pytest.approx(0.1 * np.sqrt(((lengths * axes) ** 2).sum()), rel=0.1)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_labels_are_mixed_as_the_images_are(kind: str) -> None:
    images = np.zeros((400, 1, 16, 16), dtype=np.uint8)
    images[1::2] = 255
    data = frozen(images, np.arange(400) % 2)
    mixed, labels = epoch(data, {kind: {"p": 1.0, "alpha": 1.0}})
    info = info_of(data)
    share = (mixed * info.std[0] + info.mean[0]).mean((1, 2, 3))
    torch.testing.assert_close(labels[:, 1], share, atol=1e-4, rtol=0)
    torch.testing.assert_close(labels.sum(1), torch.ones(400))
    assert ((share > 0.01) & (share < 0.99)).float().mean() > 0.35


def test_mixup_shares_follow_the_beta_distribution() -> None:
    data = frozen(np.zeros((4000, 1, 2, 2), dtype=np.uint8), np.arange(4000))
    _, labels = epoch(data, {"mixup": {"alpha": 0.2}}, batch_size=4000)
    top = labels.max(1).values.numpy()
    draws = np.random.default_rng(5).beta(0.2, 0.2, 4000)
    expected = np.maximum(draws, 1 - draws)
    assert top.mean() == pytest.approx(expected.mean(), abs=0.01)
    assert (top > 0.99).mean() == pytest.approx((expected > 0.99).mean(), abs=0.04)


def test_mixup_and_cutmix_share_the_images() -> None:
    data = random_set(3000)
    document = {"mixup": {"p": 0.3, "alpha": 1.0}, "cutmix": {"p": 0.4}}
    images, labels = epoch(data, document, batch_size=3000)
    plain = {int(y): x for x, y in zip(*epoch(data, {}), strict=True)}
    own = [torch.equal(plain[int(y)], x) for x, y in zip(images, labels.argmax(1), strict=True)]
    assert 0.3 <= np.mean(own) < 0.5  # 0.3, and boxes of cutmix smaller than a pixel
    with pytest.raises(SpecError, match=r"mixup.p \+ cutmix.p = 1.5"):
        Augmentation.parse({"mixup": {}, "cutmix": {}})


def test_colours_need_three_channels() -> None:
    with pytest.raises(DataError, match=r"augmentation.lighting: .* has 1 channel"):
        epoch(random_set(4, channels=1), {"lighting": 0.1})


def test_policies_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kornia.augmentation.auto", None)
    with pytest.raises(InputError, match=r"rand_augment needs kornia.*nasablate\[augment\]"):
        epoch(random_set(4), {"policy": {"kind": "rand_augment"}})


POLICIES = [{"kind": "auto_augment"}, {"kind": "rand_augment", "ops": 2, "magnitude": 20}]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("policy", POLICIES, ids=["auto", "rand"])
def test_policies_are_seeded_and_differ_between_images(policy: dict[str, Any]) -> None:
    pytest.importorskip("kornia")
    one = random_set(1, height=16, width=16).images
    data = frozen(np.repeat(one, 64, 0), np.zeros(64, dtype=np.int64))
    state = torch.get_rng_state()
    images, _ = epoch(data, {"policy": policy}, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(epoch(data, {"policy": policy}, 1)[0], images)
    assert not torch.equal(epoch(data, {"policy": policy}, 2)[0], images)
    assert len({image.numpy().tobytes() for image in images}) > 20


@pytest.mark.parametrize("name", ALL)
def test_streamed_images_get_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NASABLATE_DATA_WORKERS", "0")
    spec = DataSpec(name=f"folder:{class_folders(tmp_path / 'set', 12, shape=(9, 9, 3))}", size=8)
    document = {**ALL[name], "flip": True}
    monkeypatch.setattr(test_streaming, "AUGMENTATION", Augmentation.parse(document))
    kept = test_streaming.epoch(load_train(spec))
    monkeypatch.setenv("NASABLATE_DATA_MEMORY", "1 KB")
    data = load_train(spec)
    assert isinstance(data.train, StreamedSet)
    for ours, theirs in zip(test_streaming.epoch(data), kept, strict=True):
        assert torch.equal(ours, theirs)
