"""The views of a picture that an evaluation looks at, and how they become what a network reads.

Letters in shape comments: B batch, H height, W width of the images held, h height, w width of what
the network reads, C channels.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from torch import Tensor

from nasablate.data.cropping import scaled
from nasablate.genome.evaluation import Evaluation


class View(NamedTuple):
    """A square box of a picture."""

    row: float
    """Share of the room there is that lies above it."""
    column: float
    """Share of the room there is that lies left of it."""
    side: float
    """Share of the picture's height and width."""
    mirrored: bool = False


WHOLE = View(0.5, 0.5, 1.0)
_CORNERS_AND_CENTRE = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5))
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)

Seen = Iterator[tuple[Iterable[Tensor], Tensor]]
"""Views of a batch, float32 [B, C, h, w] each, and the labels [B]."""


def all_views(spec: Evaluation | None) -> tuple[View, ...]:
    """Return what the final error averages over.

    >>> len(all_views(Evaluation(crops=50, sides=(256, 384, 512))))
    150
    """
    if spec is None:
        return (WHOLE,)
    return tuple(view for side in spec.sides for view in _of_side(spec, side))


def one_view(spec: Evaluation | None) -> tuple[View, ...]:
    """Return the centre of the middle side, or the whole picture without an evaluation.

    >>> one_view(Evaluation(size=8, sides=(16, 10)))
    (View(row=0.5, column=0.5, side=0.5, mirrored=False),)
    """
    if spec is None:
        return (WHOLE,)
    return (View(0.5, 0.5, spec.size / sorted(spec.sides)[len(spec.sides) // 2]),)


def _of_side(spec: Evaluation, side: int) -> Iterator[View]:
    places: Iterable[tuple[float, float]]
    match spec.crops:
        case 1 | 2:
            places = ((0.5, 0.5),)
        case 10 | 12:
            places = _CORNERS_AND_CENTRE
        case 50:
            places = itertools.product(_QUARTERS, _QUARTERS)
    views = [View(row, column, spec.size / side) for row, column in places]
    if spec.crops == 12:
        views.append(WHOLE)
    yield from views
    if spec.crops > 1:
        yield from (view._replace(mirrored=True) for view in views)


class Viewer:
    """From images as they are held to views as large as a network reads."""

    def __init__(self, height: int, width: int) -> None:
        self._size = (height, width)

    def __call__(self, batch: Tensor, view: View) -> Tensor:
        """Return a view of uint8 [B, H, W, C] as uint8 [B, h, w, C]."""
        height, width = batch.shape[1:3]
        tall, wide = (max(1, round(view.side * length)) for length in (height, width))
        top, left = round(view.row * (height - tall)), round(view.column * (width - wide))
        batch = scaled(batch[:, top : top + tall, left : left + wide], self._size)
        return batch.flip(2) if view.mirrored else batch
