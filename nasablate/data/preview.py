"""A contact sheet: some training images of each class, and what augmentation makes of one each."""

import contextlib

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from nasablate.data.augment import TrainBatches
from nasablate.data.images import DataInfo, Images, ImageSet, Part, TrainingData, frozen
from nasablate.data.streaming import StreamedSet
from nasablate.genome.augmentation import Augmentation

_LEAST_TILE = 56
_LARGEST_TILE = 160
_MARGIN = 4
_LABEL_WIDTH = 150
_LINE = 22
_PAPER, _INK = "white", "#202020"
_WIDE_FONTS = ("NotoSansCJK-Regular.ttc", "Arial Unicode.ttf", "DejaVuSans.ttf",
               "NotoSans-Regular.ttf", "arial.ttf")  # fmt: skip
"""Fonts that people have; the one that Pillow brings has no letter beyond ASCII."""
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(
    data: TrainingData, augmentation: Augmentation, per_class: int, max_classes: int
) -> Image.Image:
    """Draw one row of images per class and below it one row of augmented copies of its first.

    Args:
        data: The training part is shown.
        augmentation: Of the recipe.
        per_class: Images in a row, at least 2.
        max_classes: Rows; classes are taken evenly from all.
    """
    info = data.info
    present = np.unique(data.train.labels)
    count = min(max_classes, len(present))
    shown = present[np.linspace(0, len(present) - 1, count).round().astype(int)]
    tile = _tile(info)
    step = (tile[0] + _MARGIN, tile[1] + _MARGIN)
    title = _title(info, augmentation)
    header = _LINE * len(title)
    width = max(_LABEL_WIDTH + per_class * step[0], *(int(_font(x).getlength(x)) for x in title))
    sheet = Image.new("RGB", (width + 2 * _MARGIN, header + 2 * count * step[1]), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(title):
        draw.text((_MARGIN, _MARGIN + number * _LINE), line, _INK, _font(line))
    for number, label in enumerate(int(label) for label in shown):
        members = np.flatnonzero(data.train.labels == label)[:per_class]
        images = _take(data.train, members)
        rows = (images, _augmented(images[:1], info, augmentation, per_class, number))
        for offset, row in enumerate(rows):
            top = header + (2 * number + offset) * step[1]
            text = info.class_names[label] if offset == 0 else "  augmented"
            font = _font(text)
            draw.text((_MARGIN, top + tile[1] / 2 - 8), _short(text, font), _INK, font)
            for column, image in enumerate(row):
                picture = _picture(image)
                enlarged = picture.width < tile[0]
                picture = picture.resize(
                    tile, Image.Resampling.NEAREST if enlarged else Image.Resampling.LANCZOS
                )
                sheet.paste(picture, (_LABEL_WIDTH + column * step[0], top))
    return sheet


def _tile(info: DataInfo) -> tuple[int, int]:
    """Return width and height of a drawn image: small ones by whole factors, large ones shrunk."""
    factor: float = max(1, -(-_LEAST_TILE // min(info.height, info.width)))
    if max(info.height, info.width) * factor > _LARGEST_TILE:
        factor = _LARGEST_TILE / max(info.height, info.width)
    return max(1, round(info.width * factor)), max(1, round(info.height * factor))


def _take(part: Part, positions: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Images:
    if isinstance(part, StreamedSet):
        return part.decode([int(position) for position in positions])
    assert isinstance(part, ImageSet)
    return part.images[positions]


def _augmented(
    image: Images, info: DataInfo, augmentation: Augmentation, count: int, seed: int
) -> Images:
    """Return ``count`` augmented copies of one image, uint8 [count, c, h, w], as training does."""
    copies = frozen(np.repeat(image, count, axis=0), np.arange(count))
    # Mixed with its own copies an image would stay what it is.
    augmentation = augmentation.model_copy(update={"mixup": None, "cutmix": None})
    batches = TrainBatches(copies, info, augmentation, count, torch.device("cpu"))
    order, crops = torch.Generator(), torch.Generator().manual_seed(seed)
    ((batch, _),) = batches.epoch(order, crops)
    shape = (1, -1, 1, 1)
    std = np.maximum(np.array(info.std), 1 / 255).reshape(shape)
    pixels = (batch.numpy() * std + np.array(info.mean).reshape(shape)) * 255
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def _picture(image: Images) -> Image.Image:
    if len(image) == 1:
        return Image.fromarray(image[0]).convert("RGB")
    return Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))


def _font(text: str) -> _Font:
    for name in () if text.isascii() else _WIDE_FONTS:
        with contextlib.suppress(OSError):
            return ImageFont.truetype(name, 13)
    return ImageFont.load_default(13)


def _short(text: str, font: _Font) -> str:
    if font.getlength(text) <= _LABEL_WIDTH - 2 * _MARGIN:
        return text
    while text and font.getlength(f"{text}…") > _LABEL_WIDTH - 2 * _MARGIN:
        text = text[:-1]
    return f"{text}…"


def _title(info: DataInfo, augmentation: Augmentation) -> list[str]:
    return [
        f"{info.name}: {info.num_train} training images of {info.classes} classes,"
        f" {info.channels} x {info.height} x {info.width}"
        + (f", held at {info.held} x {info.held}" if info.held else ""),
        f"below each class its first image, augmented: {_in_words(augmentation)}",
    ]


def _in_words(augmentation: Augmentation) -> str:
    parts: list[str] = []
    if augmentation.pad:
        parts.append(f"crop after padding by {augmentation.pad}, {augmentation.pad_mode}")
    if augmentation.crop is not None:
        crop = augmentation.crop
        sides = f"{crop.min_side}" + ("" if crop.min_side == crop.max_side else f"-{crop.max_side}")
        parts.append(f"crop {crop.size} of {sides}")
    if augmentation.flip:
        parts.append("flip")
    later = augmentation.later - {"crop"}
    others = [name for name in type(augmentation).model_fields if name in later]
    parts += [name.replace("_", " ") for name in others if getattr(augmentation, name)]
    return "; ".join(parts) or "nothing"
