"""Boxes in images: where they are, and masks of them.

Letters in shape comments: N images of an epoch, B batch, H height, W width.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_Whole = NDArray[np.int64]


def boxes(top: _Whole, left: _Whole, height: _Whole, width: _Whole) -> tuple[_Whole, ...]:
    """Return first and last-but-one rows, then columns, each [N]."""
    return top, top + height, left, left + width


def squares(
    size: tuple[int, int],
    sides: _Whole | tuple[_Whole, _Whole],
    hit: NDArray[np.bool_],
    source: np.random.Generator,
) -> tuple[_Whole, ...]:
    """Draw boxes around uniform pixels; they may reach over the border, and are empty unless hit.

    Args:
        size: H, W.
        sides: Heights and widths of the boxes, or both at once, [N].
        hit: Whether an image has a box, [N].
        source: Draws the pixels.
    """
    tall, wide = sides if isinstance(sides, tuple) else (sides, sides)
    count = len(hit)
    top = source.integers(size[0], size=count) - tall // 2
    left = source.integers(size[1], size=count) - wide // 2
    return boxes(top, left, tall * hit, wide * hit)


def paste_mask(
    size: tuple[int, int], top: Tensor, bottom: Tensor, left: Tensor, right: Tensor
) -> Tensor:
    """Return which pixels are inside the boxes, bool [B, 1, H, W]."""
    rows = torch.arange(size[0], device=top.device)
    columns = torch.arange(size[1], device=top.device)
    vertical = (rows >= top[:, None]) & (rows < bottom[:, None])
    horizontal = (columns >= left[:, None]) & (columns < right[:, None])
    return (vertical[:, :, None] & horizontal[:, None, :])[:, None]
