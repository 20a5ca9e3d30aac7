"""What the picture of one network shows, read from its blueprint."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

from nasablate.blueprint.blueprint import Blueprint, Fragment, Part
from nasablate.blueprint.describe import Description, describe
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import (
    Act,
    Conv,
    Dropout,
    Gate,
    Norm,
    Op,
    PadChannels,
    Pool,
    Scale,
    Shape,
)
from nasablate.figures.unit_tree import Chain, op_label, unit_chain

ShortcutKind = Literal["identity", "zero padding", "projection", "weighted", "other", "none"]
"""How the shortcut brings its input to the addition; ``weighted``: scaled, gated or dropped."""

_Key = tuple[str, Chain, bool]
"""What makes units one form: kind, layers without channels, whether they stride."""


@dataclass(frozen=True, slots=True)
class UnitForm:
    """What units have in common that differ at most in their width."""

    letter: str
    unit_kind: str
    shortcut: ShortcutKind
    shortcut_text: str
    """The shortcut's operations in words, empty for an identity."""
    pools: bool
    """Whether the shortcut averages where it lowers the resolution."""
    strides: bool
    count: int
    chain: Chain


@dataclass(frozen=True, slots=True)
class UnitMark:
    """One unit of the network."""

    name: str
    stage: int
    form: int
    """Index of its form."""
    width: int
    """Output channels."""
    output: Shape
    strides: bool
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class Run:
    """Units of one form that follow each other in one stage: ``units[start:stop]``."""

    form: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class StageMark:
    """A run of units that share an output resolution: ``units[start:stop]``."""

    index: int
    start: int
    stop: int
    height: int
    width: int
    channels: tuple[int, int]
    """Of the first and of the last unit."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The network as a picture shows it."""

    name: str
    input: Shape
    classes: int
    weight_layers: int
    params: int
    macs: int
    stem: Chain
    stem_output: Shape
    head: Chain
    units: tuple[UnitMark, ...]
    stages: tuple[StageMark, ...]
    runs: tuple[Run, ...]
    forms: tuple[UnitForm, ...]

    @property
    def shortcuts(self) -> list[ShortcutKind]:
        """Return the kinds of shortcuts in the network, each once."""
        kinds: list[ShortcutKind] = []
        for form in self.forms:
            if form.shortcut not in kinds:
                kinds.append(form.shortcut)
        return kinds

    def document(self) -> dict[str, Any]:
        """Return what is drawn as plain JSON data."""
        return asdict(self)


def outline(blueprint: Blueprint, name: str = "") -> Outline:
    """Return what the picture of a network shows.

    Example:
        >>> from nasablate.blueprint import lower
        >>> from nasablate.genome import load_genome
        >>> found = outline(lower(load_genome("plain-20")))
        >>> [(found.forms[run.form].letter, run.stop - run.start) for run in found.runs]
        [('A', 3), ('B', 1), ('A', 2), ('B', 1), ('A', 2)]
    """
    inner = [part for part in blueprint.parts if part.stage >= 0]
    forms, form_of = _forms(inner)
    units = tuple(_mark(part, form) for part, form in zip(inner, form_of, strict=True))
    return _assemble(blueprint, describe(blueprint, name), units, forms)


def _assemble(
    blueprint: Blueprint,
    description: Description,
    units: tuple[UnitMark, ...],
    forms: tuple[UnitForm, ...],
) -> Outline:
    stem, head = blueprint.parts[0].fragment, blueprint.parts[-1].fragment
    return Outline(
        name=description.name,
        input=blueprint.input,
        classes=description.classes,
        weight_layers=description.weight_layers,
        params=description.cost.params,
        macs=description.cost.macs,
        stem=unit_chain(stem, channels=True),
        stem_output=stem.output_shape,
        head=unit_chain(head, channels=True),
        units=units,
        stages=tuple(_stages(units)),
        runs=tuple(_runs(units)),
        forms=forms,
    )


def shortcut_ops(fragment: Fragment) -> list[Op] | None:
    """Return what the shortcut alone does to its input, in order; None without a shortcut.

    Gates count once, as the multiplication; what computes them is left out, and so is what the
    shortcut shares with the branch.
    """
    if fragment.shortcut is None or fragment.merge is None:
        return None
    shared = _ancestors(fragment, fragment.branch)
    ops: list[Op] = []
    index = fragment.shortcut
    while index != IMAGE and index not in shared:
        layer = fragment.layers[index]
        ops.append(layer.op)
        index = layer.inputs[0]
    return ops[::-1]


def shortcut_kind(ops: Sequence[Op] | None) -> ShortcutKind:
    """Return the kind of a shortcut with these operations."""
    if ops is None:
        return "none"
    if any(isinstance(op, Gate | Scale | Dropout) for op in ops):
        return "weighted"
    if any(isinstance(op, Conv) for op in ops):
        return "projection"
    if any(isinstance(op, PadChannels) for op in ops):
        return "zero padding"
    return "identity" if all(isinstance(op, Norm | Act | Pool) for op in ops) else "other"


def _ancestors(fragment: Fragment, last: int | None) -> set[int]:
    """Return the layers of a unit that one of them depends on, itself included."""
    found: set[int] = set()
    pending = [] if last is None else [last]
    while pending:
        index = pending.pop()
        if index != IMAGE and index not in found:
            found.add(index)
            pending += fragment.layers[index].inputs
    return found


def _forms(parts: Iterable[Part]) -> tuple[tuple[UnitForm, ...], list[int]]:
    """Return the distinct forms in order of appearance, and the form of every unit."""
    keys: dict[int, _Key] = {}
    members: dict[_Key, list[Fragment]] = {}
    places: list[_Key] = []
    for part in parts:
        fragment = part.fragment
        # equal units share their fragment, so most are looked up
        if id(fragment) not in keys:
            keys[id(fragment)] = _key(fragment)
        key = keys[id(fragment)]
        members.setdefault(key, []).append(fragment)
        places.append(key)
    forms = tuple(_form(letter(number), key, members[key]) for number, key in enumerate(members))
    order = {key: number for number, key in enumerate(members)}
    return forms, [order[key] for key in places]


def _key(fragment: Fragment) -> _Key:
    return fragment.kind, unit_chain(fragment), _strides(fragment)


def _form(name: str, key: _Key, members: Sequence[Fragment]) -> UnitForm:
    kind, chain, strides = key
    ops = shortcut_ops(members[0])
    return UnitForm(
        letter=name,
        unit_kind=kind,
        shortcut=shortcut_kind(ops),
        shortcut_text=", ".join(op_label(op) for op in ops or ()),
        pools=any(isinstance(op, Pool) and op.kernel > 1 for op in ops or ()),
        strides=strides,
        count=len(members),
        chain=chain,
    )


def letter(number: int) -> str:
    """Return A, B, ... Z, A2, B2, ... for 0, 1, ...

    >>> letter(0), letter(27)
    ('A', 'B2')
    """
    turn, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(turn + 1) if turn else "")


def _mark(part: Part, form: int) -> UnitMark:
    output = part.fragment.output_shape
    return UnitMark(
        name=part.name,
        stage=part.stage,
        form=form,
        width=output[0],
        output=output,
        strides=_strides(part.fragment),
        params=part.fragment.cost.params,
        macs=part.fragment.cost.macs,
    )


def _strides(fragment: Fragment) -> bool:
    return fragment.output_shape[1:] != fragment.input[1:]


def _stages(units: Sequence[UnitMark]) -> Iterable[StageMark]:
    start = 0
    for index, group in groupby(units, key=lambda unit: unit.stage):
        members = list(group)
        _, height, width = members[-1].output
        channels = (members[0].width, members[-1].width)
        yield StageMark(index, start, start + len(members), height, width, channels)
        start += len(members)


def _runs(units: Sequence[UnitMark]) -> Iterable[Run]:
    start = 0
    for (_, form), group in groupby(units, key=lambda unit: (unit.stage, unit.form)):
        stop = start + len(list(group))
        yield Run(form, start, stop)
        start = stop
