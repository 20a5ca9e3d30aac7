"""Whatever a recipe does to images beside crop and flip, drawn image by image for a whole epoch.

Letters in shape comments: N images of an epoch, B batch, C channels, H height, W width.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nasablate.data.colour import check_colours, jitter, lighten
from nasablate.data.cropping import cut
from nasablate.data.images import DataInfo
from nasablate.data.occlusion import boxes, paste_mask, squares
from nasablate.data.policies import Policy
from nasablate.genome.augmentation import Augmentation, RandomCrop, RandomErasing, ResizedCrop

_STREAMS = ("box", "policy", "colour_jitter", "lighting", "cutout", "erasing", "mixing")
_TRIES = 10
"""Boxes drawn for a crop before the whole image is taken."""

_Numbers = NDArray[Any]
_Drawer = Callable[[int, np.random.Generator], tuple[_Numbers, ...]]
Draws = dict[str, tuple[Any, ...]]
"""By stream, what was drawn for every image of an epoch, [N] or [N, k]: tensors on the device,
arrays of the policy."""


class Distortion:
    """The augmentations of a recipe on batches of one data set."""

    def __init__(self, spec: Augmentation, info: DataInfo, device: torch.device) -> None:
        self._spec = spec
        self._size = (info.height, info.width)
        self._held = (info.held, info.held) if info.held else self._size
        self._is_smooth = info.held is not None or spec.crop is not None
        self._channels = info.channels
        self._classes = info.classes
        self._device = device
        self._policy = None if spec.policy is None else Policy(spec.policy)
        check_colours(spec, info)
        self.is_used = any(getattr(spec, name) for name in spec.later)

    def draw(self, count: int, generator: torch.Generator) -> Draws:
        """Draw all that an epoch of ``count`` images needs."""
        if not self.is_used:
            return {}
        drawn = torch.randint(2**62, (len(_STREAMS),), generator=generator)
        seeds = cast("list[int]", drawn.tolist())  # pyright: ignore[reportUnknownMemberType]
        sources = {
            name: np.random.default_rng(seed) for name, seed in zip(_STREAMS, seeds, strict=True)
        }
        found = {name: draw(count, sources[name]) for name, draw in self._drawers().items()}
        return {
            name: parts if name == "policy" else tuple(self._sent(part) for part in parts)
            for name, parts in found.items()
        }

    def pixels(self, batch: Tensor, draws: Draws, span: slice, flips: Tensor | None) -> Tensor:
        """Return uint8 [B, H, W, C] cropped anew, flipped where told, and under the policy."""
        if "box" in draws:
            box = _at(draws, "box", span)
            smooth = self._is_smooth
            batch = cut(batch, torch.stack(box, 1), self._size) if smooth else _resized(batch, *box)
        if flips is not None:
            batch = torch.where(flips[:, None, None, None], batch.flip(2), batch)
        if self._policy is not None:
            batch = self._policy(batch, *_at(draws, "policy", span))
        return batch.contiguous()

    def colours(self, batch: Tensor, draws: Draws, span: slice) -> Tensor:
        """Return [B, H, W, C] with values 0 to 255, as float32 if its colours were changed."""
        if "colour_jitter" in draws:
            batch = jitter(batch.float(), *_at(draws, "colour_jitter", span))
        if "lighting" in draws:
            batch = lighten(batch.float(), *_at(draws, "lighting", span))
        return batch

    def finish(
        self, images: Tensor, labels: Tensor, draws: Draws, span: slice
    ) -> tuple[Tensor, Tensor]:
        """Occlude and mix normalised images [B, C, H, W]; mixed labels are shares of classes."""
        if "cutout" in draws:
            images = images.masked_fill(paste_mask(self._size, *_at(draws, "cutout", span)), 0.0)
        if "erasing" in draws:
            *box, colours = _at(draws, "erasing", span)
            mask = paste_mask(self._size, *box)
            images = torch.where(mask, colours[:, :, None, None], images)
        if "mixing" in draws:
            images, labels = self._mixed(images, labels, *_at(draws, "mixing", span))
        return images.contiguous(memory_format=torch.channels_last), labels

    def _sent(self, part: _Numbers) -> Tensor:
        """Return numbers on the device, which is not waited for."""
        return torch.as_tensor(part).to(self._device, non_blocking=True)

    def _mixed(
        self, images: Tensor, labels: Tensor, pasted: Tensor, share: Tensor, *box: Tensor
    ) -> tuple[Tensor, Tensor]:
        others = images.roll(-1, 0)
        mask = paste_mask(self._size, *box)
        area = mask.flatten(1).float().mean(1)
        kept = torch.where(pasted, 1 - area, share)
        blend = torch.where(pasted, 1.0, share)[:, None, None, None]
        mixed = torch.lerp(others, images, blend)
        images = torch.where(mask & pasted[:, None, None, None], others, mixed)
        classes = torch.arange(self._classes, device=labels.device)
        shares = (labels[:, None] == classes).float()
        return images, torch.lerp(shares.roll(-1, 0), shares, kept[:, None])

    def _drawers(self) -> dict[str, _Drawer]:
        spec = self._spec
        asked = {
            "box": (spec.crop or spec.resized_crop, self._draw_crop),
            "policy": (spec.policy, self._draw_policy),
            "colour_jitter": (spec.colour_jitter, self._draw_jitter),
            "lighting": (spec.lighting, self._draw_lighting),
            "cutout": (spec.cutout, self._draw_cutout),
            "erasing": (spec.erasing, self._draw_erasing),
            "mixing": (spec.mixup or spec.cutmix, self._draw_mixing),
        }
        return {name: draw for name, (wanted, draw) in asked.items() if wanted}

    def _draw_crop(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        if self._spec.crop is not None:
            return draw_window(self._spec.crop, self._held, count, source)
        assert self._spec.resized_crop is not None
        box = draw_box(self._spec.resized_crop, self._held, count, source)
        return box if self._is_smooth else tuple(part.astype(np.float32) for part in box)

    def _draw_policy(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        assert self._policy is not None
        return self._policy.draw(count, source)

    def _draw_jitter(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        spec = self._spec.colour_jitter
        assert spec is not None
        spread = np.array([spec.brightness, spec.contrast, spec.saturation])
        factors = 1 + spread * source.uniform(-1, 1, (count, 3))
        return factors.astype(np.float32), source.random((count, 3)).argsort(1)

    def _draw_lighting(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        return (source.normal(0, self._spec.lighting, (count, 3)).astype(np.float32),)

    def _draw_cutout(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        spec = self._spec.cutout
        assert spec is not None
        return squares(self._size, np.full(count, spec.size), source.random(count) < spec.p, source)

    def _draw_erasing(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        spec = self._spec.erasing
        assert spec is not None
        top, left, height, width = draw_box(spec, self._size, count, source)
        hit = source.random(count) < spec.p
        colours = source.normal(0, 1, (count, self._channels)).astype(np.float32)
        colours *= spec.fill == "colour"
        return *boxes(top, left, height * hit, width * hit), colours

    def _draw_mixing(self, count: int, source: np.random.Generator) -> tuple[_Numbers, ...]:
        mixup, cutmix = self._spec.mixup, self._spec.cutmix
        chance = source.random(count)
        one, other = (1.0 if spec is None else spec.alpha for spec in (mixup, cutmix))
        blends, pastes = source.beta(one, one, count), source.beta(other, other, count)
        p_mixup = 0.0 if mixup is None else mixup.p
        pasted = (chance >= p_mixup) & (chance < p_mixup + (0.0 if cutmix is None else cutmix.p))
        share = np.where(chance < p_mixup, blends, 1.0)
        sides = [np.rint(side * np.sqrt(1 - pastes)).astype(np.int64) for side in self._size]
        box = squares(self._size, (sides[0], sides[1]), pasted, source)
        return pasted, share.astype(np.float32), *box


def draw_window(
    spec: RandomCrop, size: tuple[int, int], count: int, source: np.random.Generator
) -> tuple[_Numbers, ...]:
    """Return top, left, height and width of ``count`` boxes inside the image, int64 [N]."""
    side = source.integers(spec.min_side, spec.max_side, count, endpoint=True)
    tall, wide = (np.rint(length * spec.size / side).astype(np.int64).clip(1) for length in size)
    top = source.integers(size[0] - tall, endpoint=True)
    left = source.integers(size[1] - wide, endpoint=True)
    return top, left, tall, wide


def draw_box(
    spec: ResizedCrop | RandomErasing,
    size: tuple[int, int],
    count: int,
    source: np.random.Generator,
) -> tuple[NDArray[np.int64], ...]:
    """Draw boxes by area and aspect until one fits, else take the whole image; int64 [N] each."""
    height, width = size
    log = np.log(spec.max_aspect)
    area = source.uniform(spec.min_area, spec.max_area, (count, _TRIES)) * height * width
    aspect = np.exp(source.uniform(-log, log, (count, _TRIES)))
    tall = np.rint(np.sqrt(area / aspect)).astype(np.int64).clip(1)
    wide = np.rint(np.sqrt(area * aspect)).astype(np.int64).clip(1)
    fits = (tall <= height) & (wide <= width)
    first = (np.arange(count), fits.argmax(1))
    some = fits.any(1)
    tall, wide = np.where(some, tall[first], height), np.where(some, wide[first], width)
    top = np.floor(source.random(count) * (height - tall + 1)).astype(np.int64)
    left = np.floor(source.random(count) * (width - wide + 1)).astype(np.int64)
    return top, left, tall, wide


def _at(draws: Draws, name: str, span: slice) -> tuple[Any, ...]:
    return tuple(part[span] for part in draws[name])


def _resized(batch: Tensor, top: Tensor, left: Tensor, tall: Tensor, wide: Tensor) -> Tensor:
    """Scale boxes of uint8 [B, H, W, C] to H x W."""
    _, height, width, _ = batch.shape
    rows = (torch.arange(height, device=batch.device) + 0.5) / height
    columns = (torch.arange(width, device=batch.device) + 0.5) / width
    y = (top[:, None] + rows * tall[:, None]) * (2 / height) - 1
    x = (left[:, None] + columns * wide[:, None]) * (2 / width) - 1
    grid = torch.stack(
        (
            x[:, None, :].expand(-1, height, -1),
            y[:, :, None].expand(-1, -1, width),
        ),
        -1,
    )
    images = batch.permute(0, 3, 1, 2).float()
    scaled = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return scaled.round_().to(torch.uint8).permute(0, 2, 3, 1)
