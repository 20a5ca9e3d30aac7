"""Draws the chain of layers of one unit from top to bottom."""

from dataclasses import dataclass

from nasablate.figures.svg import element, path, text, text_width
from nasablate.figures.unit_tree import Box, Chain, Fork

FONT = 11
_BOX, _SMALL_BOX = 22, 17
"""Heights of boxes."""
_GAP = 9
"""Length of the line between two boxes."""
_COLUMN = 10
"""Space between branches."""
_JOIN = 8
"""Radius of the circle where branches meet."""
_LONGEST = 46
"""Characters of a box's text; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a chain reaches left and right of its axis, and down."""

    left: float
    right: float
    height: float


def chain_extent(chain: Chain) -> Extent:
    """Return the space that a chain needs; an empty one is a line."""
    sizes = [_extent(item) for item in chain]
    return Extent(
        left=max((size.left for size in sizes), default=4),
        right=max((size.right for size in sizes), default=4),
        height=sum(size.height for size in sizes) + _GAP * max(0, len(sizes) - 1),
    )


def draw_chain(chain: Chain, x: float, y: float) -> list[str]:
    """Return the elements of a chain whose axis is at ``x`` and whose top is at ``y``."""
    drawn: list[str] = []
    for number, item in enumerate(chain):
        if number:
            drawn.append(path([(x, y), (x, y + _GAP)], class_="na-wire"))
            y += _GAP
        drawn += _box(item, x, y) if isinstance(item, Box) else _fork(item, x, y)
        y += _extent(item).height
    return drawn


def _extent(item: Box | Fork) -> Extent:
    if isinstance(item, Box):
        half = _box_width(item) / 2
        if item.is_reference:
            return Extent(_JOIN, _JOIN, 2 * _JOIN)
        right = half + (2 * _JOIN if item.mark else 0)
        return Extent(half, right, _SMALL_BOX if item.small else _BOX)
    parts = [chain_extent(branch) for branch in item.branches]
    right = parts[0].right + sum(_COLUMN + part.left + part.right for part in parts[1:])
    height = max(part.height for part in parts) + 2 * _GAP + _join_height(item)
    half = _join_width(item) / 2
    return Extent(max(parts[0].left, half), max(right, half), height)


def _box(box: Box, x: float, y: float) -> list[str]:
    if box.is_reference:
        return _mark(box.mark, x, y + _JOIN)
    width, height = _box_width(box), _SMALL_BOX if box.small else _BOX
    kind = "na-small" if box.small else "na-box"
    frame = element("rect", x=x - width / 2, y=y, width=width, height=height, rx=4, class_=kind)
    words = text(_shown(box.text), x, y + height / 2 + 4, class_="na-text na-inside")
    mark = _mark(box.mark, x + width / 2 + _JOIN, y + height / 2) if box.mark else []
    return [frame, words, *mark]


def _mark(number: int, x: float, y: float) -> list[str]:
    """Draw the number of a result that is used in several places."""
    circle = element("circle", cx=x, cy=y, r=_JOIN - 1, class_="na-mark")
    return [circle, text(str(number), x, y + 4, class_="na-text na-inside")]


def _fork(fork: Fork, x: float, y: float) -> list[str]:
    """Draw the branches side by side, between the line they leave and the join."""
    parts = [chain_extent(branch) for branch in fork.branches]
    bottom = y + max(part.height for part in parts) + 2 * _GAP
    drawn: list[str] = []
    axis = x
    for number, (branch, part) in enumerate(zip(fork.branches, parts, strict=True)):
        if number:
            axis += _COLUMN + part.left
        kind = "na-shortcut" if fork.is_merge and number else "na-wire"
        top = y + _GAP
        end = top + part.height
        if not (branch and _is_reference(branch[0])):
            drawn.append(path([(x, y), (axis, y), (axis, top)], class_=kind))
        if not branch:
            drawn.append(path([(axis, top), (axis, end)], class_=kind))
        drawn.append(path(_way_to_join(fork, x, axis, end, bottom), class_=kind))
        drawn += draw_chain(branch, axis, top)
        axis += part.right
    return [*drawn, *_join(fork, x, bottom)]


def _way_to_join(
    fork: Fork, x: float, axis: float, end: float, bottom: float
) -> list[tuple[float, float]]:
    """Return the line from the end of a branch at ``axis`` to the join at ``x``."""
    if axis == x:
        return [(axis, end), (axis, bottom)]
    middle = bottom + _join_height(fork) / 2
    return [(axis, end), (axis, middle), (x + _join_width(fork) / 2, middle)]


def _is_reference(item: Box | Fork) -> bool:
    return isinstance(item, Box) and item.is_reference


def _join(fork: Fork, x: float, y: float) -> list[str]:
    sign = {"add": "+", "multiply": "×"}.get(fork.join)
    if sign is None:
        return _box(Box(fork.join), x, y)
    circle = element("circle", cx=x, cy=y + _JOIN, r=_JOIN, class_="na-join")
    words = text(sign, x, y + _JOIN + 5, class_="na-text na-sign")
    mark = _mark(fork.mark, x - 2 * _JOIN - 1, y + _JOIN) if fork.mark else []
    return [circle, words, *mark]


def _join_height(fork: Fork) -> float:
    return 2 * _JOIN if fork.join in {"add", "multiply"} else _BOX


def _join_width(fork: Fork) -> float:
    return 2 * _JOIN if fork.join in {"add", "multiply"} else _box_width(Box(fork.join))


def _box_width(box: Box) -> float:
    return max(44.0, text_width(_shown(box.text), FONT) + 12)


def _shown(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
