from collections import Counter

import numpy as np
import pytest
import torch

from nasablate.data.augment import EvalBatches, TrainBatches, mean_colour, num_batches
from nasablate.data.images import DataInfo, ImageSet, channel_statistics, frozen
from nasablate.genome.augmentation import Augmentation

CPU = torch.device("cpu")


def random_set(count: int, channels: int = 3, height: int = 6, width: int = 5) -> ImageSet:
    source = np.random.default_rng(0)
    images = source.integers(0, 256, (count, channels, height, width), dtype=np.uint8)
    return frozen(images, np.arange(count))  # the label is the index


def info_of(data: ImageSet) -> DataInfo:
    mean, std = channel_statistics(data.images)
    count, channels, height, width = data.images.shape
    return DataInfo("x", channels, height, width, count, (), count, 0, 0, "", mean, std)


def epoch(
    data: ImageSet, augmentation: Augmentation, seed: int = 0, batch_size: int = 8
) -> tuple[torch.Tensor, torch.Tensor]:
    batches = TrainBatches(data, info_of(data), augmentation, batch_size, CPU)
    order, crops = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed + 99)
    images, labels = zip(*batches.epoch(order, crops), strict=True)
    return torch.cat(images), torch.cat(labels)


def normalized(images: np.ndarray, info: DataInfo) -> np.ndarray:
    shape = (-1, 1, 1)
    mean, std = np.array(info.mean).reshape(shape), np.array(info.std).reshape(shape)
    return (images / 255 - mean) / std


def naive_pad(image: np.ndarray, info: DataInfo, pad: int, mode: str) -> np.ndarray:
    """Pad one [C, H, W] image pixel by pixel."""
    channels, height, width = image.shape
    result = np.empty((channels, height + 2 * pad, width + 2 * pad), dtype=np.uint8)

    def mirrored(index: int, size: int) -> int:
        return -index if index < 0 else 2 * (size - 1) - index if index >= size else index

    for c in range(channels):
        for y in range(-pad, height + pad):
            for x in range(-pad, width + pad):
                inside = 0 <= y < height and 0 <= x < width
                if inside or mode == "reflect":
                    value = image[c, mirrored(y, height), mirrored(x, width)]
                else:
                    value = mean_colour(info)[c]
                result[c, y + pad, x + pad] = value
    return result


@pytest.mark.parametrize("mode", ["zero", "reflect"])
def test_every_crop_and_flip_occurs_equally_often_and_equals_the_naive_one(mode: str) -> None:
    pad, data = 1, random_set(6)
    info = info_of(data)
    padded = [naive_pad(image, info, pad, mode) for image in data.images]
    seen: Counter[tuple[int, int, bool]] = Counter()
    for seed in range(60):
        augmentation = Augmentation.parse({"pad": pad, "pad_mode": mode, "flip": True})
        for image, label in zip(*epoch(data, augmentation, seed), strict=True):
            matches = [
                (dy, dx, flip)
                for dy in range(2 * pad + 1)
                for dx in range(2 * pad + 1)
                for flip in (False, True)
                if np.allclose(
                    image.numpy(),
                    normalized(
                        padded[int(label)][:, dy : dy + 6, dx : dx + 5][:, :, :: -1 if flip else 1],
                        info,
                    ),
                    atol=1e-5,
                )
            ]
            assert len(matches) == 1
            seen.update(matches)
    assert len(seen) == 18  # 3 x 3 offsets, flipped and not
    assert max(seen.values()) < 45  # 20 expected each
    assert min(seen.values()) > 5


def test_zero_padding_is_nearly_zero_after_normalisation() -> None:
    data = random_set(4)
    colour = normalized(mean_colour(info_of(data)).reshape(3, 1, 1), info_of(data))
    bound = 0.5 / 255 / np.array(info_of(data).std).reshape(3, 1, 1)
    assert (np.abs(colour) <= bound + 1e-9).all()


def test_without_augmentation_only_the_order_changes() -> None:
    data = random_set(10)
    images, labels = epoch(data, Augmentation())
    assert labels.tolist() != list(range(10))
    assert sorted(labels.tolist()) == list(range(10))
    expected = normalized(data.images[labels.numpy()], info_of(data))
    np.testing.assert_allclose(images.numpy(), expected, atol=1e-5)


def test_training_part_is_normalised() -> None:
    images, _ = epoch(random_set(64), Augmentation())
    assert images.mean((0, 2, 3)).abs().max() < 1e-5
    assert (images.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_batches_are_channels_last_float32() -> None:
    data = random_set(10)
    batches = TrainBatches(data, info_of(data), Augmentation(pad=2, flip=True), 8, CPU)
    images, _ = next(batches.epoch(torch.Generator(), torch.Generator()))
    assert images.shape == (8, 3, 6, 5)
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("count", "sizes"), [(16, [8, 8]), (17, [8, 8]), (18, [8, 8, 2])])
def test_a_last_batch_of_one_image_is_dropped(count: int, sizes: list[int]) -> None:
    data = random_set(count)
    batches = TrainBatches(data, info_of(data), Augmentation(), 8, CPU)
    got = [len(y) for _, y in batches.epoch(torch.Generator(), torch.Generator())]
    assert got == sizes
    assert len(batches) == num_batches(count, 8) == len(sizes)


def test_generators_decide_everything() -> None:
    data, augmentation = random_set(12), Augmentation(pad=1, flip=True)
    first, again = epoch(data, augmentation, 3), epoch(data, augmentation, 3)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], epoch(data, augmentation, 4)[1])


def test_batch_size_does_not_change_the_epoch() -> None:
    data, augmentation = random_set(12), Augmentation(pad=1, flip=True)
    assert torch.equal(epoch(data, augmentation)[0], epoch(data, augmentation, batch_size=4)[0])


def test_a_constant_channel_does_not_divide_by_zero() -> None:
    data = frozen(np.full((4, 1, 2, 2), 7, dtype=np.uint8), np.arange(4))
    assert epoch(data, Augmentation())[0].abs().max() < 1e-5


def test_evaluation_keeps_order_and_all_images() -> None:
    data = random_set(11)
    images, labels = zip(*EvalBatches(data, info_of(data), 4, CPU), strict=True)
    assert torch.cat(labels).tolist() == list(range(11))
    expected = normalized(data.images, info_of(data))
    np.testing.assert_allclose(torch.cat(images).numpy(), expected, atol=1e-5)
