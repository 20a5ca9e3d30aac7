"""Draws one network as SVG: its width profile, its stages and the forms of its units."""

import re
from dataclasses import dataclass

from nasablate.figures.forms_panel import draw_panels
from nasablate.figures.outline import Outline, Run, StageMark, UnitMark
from nasablate.figures.picture_style import SHORTCUT_TEXT, STYLE, fill, patterns, shortcut_words
from nasablate.figures.svg import clean, element, path, text, text_width, title

_WIDTH = 1080
_MARGIN = 24
_AXIS = 50
_FONT = 12
"""Space for the numbers of the width axis."""
_END = 46
"""Width of stem and head in the profile."""
_STAGE_GAP = 8
_NARROWEST = 84
"""Width of a stage that has few units; its words need it."""
_WIDEST_SLOT = 56
_STAGE_TOP = 100
_PROFILE_TOP, _PROFILE = 214, 190
_SQUARE = 24
_MOST_RUNS, _NARROW_RUN = 60, 8
"""With more runs than that, those narrower (in pixels) have no name."""
_MERGED_SLOT = 2
"""Units narrower than this are drawn as one area where nothing changes."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand horizontally, and the scale of widths."""

    width: float
    slot: float
    """Width of one unit."""
    stages: tuple[tuple[float, float], ...]
    """Left edge and width of every stage."""
    bars: tuple[float, ...]
    """Left edge of every unit."""
    top: int
    """The width that the profile's height stands for."""

    @property
    def stem(self) -> float:
        """Return the left edge of the stem."""
        return _MARGIN + _AXIS

    @property
    def head(self) -> float:
        """Return the left edge of the head."""
        left, width = self.stages[-1] if self.stages else (self.stem + _END, 0.0)
        return left + width + _STAGE_GAP

    def height(self, width: int) -> float:
        """Return the height of a bar."""
        return _PROFILE * width / self.top


def picture(outline: Outline) -> str:
    """Return the picture of a network as an SVG document."""
    prefix = re.sub(r"[^a-z0-9]+", "-", outline.name.lower()).strip("-") or "network"
    layout = _layout(outline)
    panels, bottom, widest = draw_panels(
        outline, _MARGIN, _PROFILE_TOP + _PROFILE + 76, layout.width - 2 * _MARGIN, prefix
    )
    width = max(layout.width, widest + _MARGIN)
    height = bottom + _MARGIN
    return (
        element(
            "svg",
            element("title", clean(_plain_title(outline)), id=f"{prefix}-title"),
            element("desc", clean(_description(outline)), id=f"{prefix}-desc"),
            element("style", STYLE),
            patterns(prefix),
            element("rect", width=width, height=height, rx=8, class_="na-page"),
            *_heading(outline, prefix),
            *_axis(layout),
            *(part for stage in outline.stages for part in _stage(outline, layout, stage)),
            *_ends(outline, layout),
            *_bars(outline, layout, prefix),
            *_brackets(outline, layout),
            *panels,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {width:g} {height:g}",
            width=width,
            height=height,
            role="img",
            aria_labelledby=f"{prefix}-title {prefix}-desc",
        )
        + "\n"
    )


def _layout(outline: Outline) -> _Layout:
    counts = [stage.stop - stage.start for stage in outline.stages]
    fixed = 2 * _MARGIN + _AXIS + 2 * _END + _STAGE_GAP * (len(counts) + 1)
    room = max(_WIDTH - fixed, _NARROWEST * len(counts))
    slot = _slot(counts, room)
    left, stages, bars = (
        _MARGIN + _AXIS + _END + _STAGE_GAP,
        list[tuple[float, float]](),
        list[float](),
    )
    for count in counts:
        width = max(_NARROWEST, count * slot)
        stages.append((left, width))
        start = left + (width - count * slot) / 2
        bars += [start + index * slot for index in range(count)]
        left += width + _STAGE_GAP
    widest = max([outline.stem_output[0], *(unit.width for unit in outline.units)])
    return _Layout(
        width=max(_WIDTH, left + _END + _MARGIN),
        slot=slot,
        stages=tuple(stages),
        bars=tuple(bars),
        top=widest,
    )


def _slot(counts: list[int], room: float) -> float:
    """Return the unit's width at which all stages fit, short ones at their least width."""
    slot = _WIDEST_SLOT
    wide = [count for count in counts if count]
    while wide:
        free = room - _NARROWEST * (len(counts) - len(wide))
        slot = min(_WIDEST_SLOT, free / sum(wide))
        narrow = [count for count in wide if count * slot < _NARROWEST]
        if not narrow:
            break
        wide = [count for count in wide if count * slot >= _NARROWEST]
    return min(slot, *(room / count for count in counts)) if counts else slot


def tick_step(top: int) -> int:
    """Return the distance of ticks on an axis from 0 to ``top``: a round number, or a power of 2.

    >>> tick_step(64), tick_step(286), tick_step(2048)
    (16, 100, 512)
    """
    powers = [2**power for power in range(24)]
    round_ones = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
    return min(step for step in powers + round_ones if 4 * step >= top)


def _heading(outline: Outline, prefix: str) -> list[str]:
    size = " × ".join(map(str, outline.input))
    facts = (
        f"input {size}   ·   {outline.classes} classes   ·   {outline.weight_layers} weight layers"
        f"   ·   {count(outline.params)} parameters   ·   {count(outline.macs)} multiply-adds"
    )
    drawn = [
        text(_shortened(outline.name or "network"), _MARGIN, 40, class_="na-text na-name"),
        text(facts, _MARGIN, 62, class_="na-text"),
    ]
    x, y = float(_MARGIN), 86.0
    words = "one bar per unit; height: output channels; fill:"
    drawn.append(text(words, x, y, class_="na-text na-mute"))
    x += text_width(words, _FONT) + 4
    for kind in outline.shortcuts:
        drawn.append(element("rect", x=x, y=y - 11, width=18, height=13, **fill(kind, prefix)))
        drawn.append(text(SHORTCUT_TEXT[kind], x + 24, y, class_="na-text"))
        x += 24 + text_width(SHORTCUT_TEXT[kind], _FONT) + 16
    if any(unit.strides for unit in outline.units):
        drawn.append(_triangle(x + 5, y - 8))
        drawn.append(text("lower resolution", x + 16, y, class_="na-text"))
    return drawn


def _shortened(name: str, most: int = 50) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _axis(layout: _Layout) -> list[str]:
    base = _PROFILE_TOP + _PROFILE
    drawn: list[str] = []
    for width in range(0, layout.top + 1, tick_step(layout.top)):
        y = base - layout.height(width)
        drawn.append(path([(layout.stem, y), (layout.head + _END, y)], class_="na-grid"))
        drawn.append(text(str(width), layout.stem - 6, y + 4, class_="na-text na-mute na-end"))
    drawn.append(
        text("channels", layout.stem - 6, _PROFILE_TOP - 12, class_="na-text na-mute na-end")
    )
    return drawn


def _stage(outline: Outline, layout: _Layout, stage: StageMark) -> list[str]:
    left, width = layout.stages[outline.stages.index(stage)]
    middle = left + width / 2
    largest = max(max(item.height, item.width) for item in outline.stages)
    side = max(3.0, _SQUARE * stage.height / largest)
    across = max(3.0, _SQUARE * stage.width / largest)
    first, last = stage.channels
    units = stage.stop - stage.start
    channels = f"{first}" if first == last else f"{first} to {last}"
    longer = f"{channels} channels"
    words = [
        f"stage {stage.index}",
        f"{units} unit{'s' if units != 1 else ''}",
        longer if text_width(longer, _FONT) <= width else channels,
    ]
    size = f"{stage.height} × {stage.width}"
    return [
        element(
            "rect", x=left, y=_STAGE_TOP, width=width,
            height=_PROFILE_TOP + _PROFILE - _STAGE_TOP, rx=4, class_="na-band",
        ),
        element(
            "rect", x=middle - across / 2, y=_STAGE_TOP + 78 - side, width=across, height=side,
            class_="na-square",
        ),
        text(size, middle, _STAGE_TOP + 92, class_="na-text na-middle"),
        *(
            text(line, middle, _STAGE_TOP + 15 + 14 * number,
                 class_="na-text na-middle" + (" na-strong" if not number else ""))
            for number, line in enumerate(words)
        ),
    ]  # fmt: skip


def _ends(outline: Outline, layout: _Layout) -> list[str]:
    """Draw stem and head as funnels from and to the width of their neighbours."""
    base = _PROFILE_TOP + _PROFILE
    stem = layout.height(outline.stem_output[0])
    last = outline.units[-1].width if outline.units else outline.stem_output[0]
    head = layout.height(last)
    entry = max(2.0, layout.height(outline.input[0]))
    right = layout.stem + _END - 4
    far = layout.head + _END - 4
    return [
        _funnel(layout.stem, right, entry, stem),
        _funnel(layout.head, far, head, max(4.0, head * 0.12)),
        text("stem", (layout.stem + right) / 2, base + 30, class_="na-text na-middle"),
        text("head", (layout.head + far) / 2, base + 30, class_="na-text na-middle"),
    ]


def _funnel(left: float, right: float, before: float, after: float) -> str:
    base = _PROFILE_TOP + _PROFILE
    corners = [(left, base), (left, base - before), (right, base - after), (right, base)]
    return element(
        "polygon", points=" ".join(f"{x:g},{y:.2f}" for x, y in corners), class_="na-ends"
    )


def _bars(outline: Outline, layout: _Layout, prefix: str) -> list[str]:
    base = _PROFILE_TOP + _PROFILE
    gap = _gap(layout.slot)
    drawn: list[str] = []
    for group in _groups(outline, layout):
        first, last = group[0], group[-1]
        unit = outline.units[first]
        height = layout.height(unit.width)
        width = (last - first + 1) * layout.slot - gap
        bar = element(
            "rect",
            title(_bar_title(outline, unit, len(group))),
            x=layout.bars[first] + gap / 2,
            y=base - height,
            width=max(0.4, width),
            height=height,
            **fill(outline.forms[unit.form].shortcut, prefix),
        )
        drawn.append(bar)
        if unit.strides:
            drawn.append(_triangle(layout.bars[first] + layout.slot / 2, base + 5))
    drawn.append(path([(layout.stem, base), (layout.head + _END, base)], class_="na-bracket"))
    return drawn


def _gap(slot: float) -> float:
    if slot < _MERGED_SLOT:
        return 0
    return 0.6 if slot < 6 else 0.16 * slot


def _groups(outline: Outline, layout: _Layout) -> list[list[int]]:
    """Return the units that are drawn as one bar: single ones, unless they are very narrow."""
    groups: list[list[int]] = []
    for index, unit in enumerate(outline.units):
        before = outline.units[index - 1] if index else None
        if layout.slot < _MERGED_SLOT and before is not None and _alike(before, unit):
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _alike(one: UnitMark, other: UnitMark) -> bool:
    return (one.form, one.width, one.stage) == (other.form, other.width, other.stage)


def _bar_title(outline: Outline, unit: UnitMark, units: int) -> str:
    form = outline.forms[unit.form]
    size = " × ".join(map(str, unit.output))
    more = f" and {units - 1} more like it" if units > 1 else ""
    return (
        f"{unit.name}{more}: {form.letter}, {form.unit_kind}, {size}, {shortcut_words(form)},"
        f" {unit.params:,} parameters, {unit.macs:,} multiply-adds"
    )


def _triangle(x: float, y: float) -> str:
    """Return the mark of a lower resolution, pointing down from ``y``."""
    return element("path", d=f"M{x - 4:.2f},{y:g} h8 l-4,7 z", class_="na-dark")


def _brackets(outline: Outline, layout: _Layout) -> list[str]:
    """Mark the runs of units of one form; names that would overlap the one before are left out."""
    base = _PROFILE_TOP + _PROFILE + 16
    drawn: list[str] = []
    taken = 0.0
    for run in outline.runs:
        left, right = layout.bars[run.start], layout.bars[run.stop - 1] + layout.slot
        inset = min(1.5, (right - left) / 8)
        corners = [(left + inset, base), (left + inset, base + 4), (right - inset, base + 4),
                   (right - inset, base)]  # fmt: skip
        drawn.append(path(corners, class_="na-bracket"))
        if len(outline.runs) > _MOST_RUNS and right - left < _NARROW_RUN:
            continue
        middle = (left + right) / 2
        for words in _run_texts(outline, run):
            half = text_width(words, _FONT) / 2
            if middle - half >= taken:
                drawn.append(text(words, middle, base + 18, class_="na-text na-middle"))
                taken = middle + half + 3
                break
    return drawn


def _run_texts(outline: Outline, run: Run) -> list[str]:
    """Return what may stand below a run, the longest first."""
    units = run.stop - run.start
    name = outline.forms[run.form].letter
    return [f"{name} × {units}", name] if units > 1 else [name]


def _plain_title(outline: Outline) -> str:
    return f"{outline.name or 'network'}: structure and width profile"


def _description(outline: Outline) -> str:
    """Say in words what is drawn."""
    size = " x ".join(map(str, outline.input))
    parts = [
        f"Input {size}, {outline.classes} classes, {outline.weight_layers} weight layers,"
        f" {outline.params:,} parameters, {outline.macs:,} multiply-adds."
    ]
    for stage in outline.stages:
        first, last = stage.channels
        kinds = dict.fromkeys(
            SHORTCUT_TEXT[outline.forms[unit.form].shortcut]
            for unit in outline.units[stage.start : stage.stop]
        )
        parts.append(
            f"Stage {stage.index}: {stage.stop - stage.start} units,"
            f" {stage.height} x {stage.width}, {first} to {last} channels, {', '.join(kinds)}."
        )
    return " ".join(parts)


def count(number: int) -> str:
    """Return a count in short.

    >>> count(269722), count(1772706), count(4089184256)
    ('270 k', '1.77 M', '4.09 G')
    """
    for unit, factor in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= 0.9995 * factor:
            return f"{number / factor:.3g} {unit}"
    return str(number)
