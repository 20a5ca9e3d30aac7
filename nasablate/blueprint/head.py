"""Lowering of the head and of auxiliary classifiers."""

from collections.abc import Sequence
from functools import lru_cache

from nasablate.blueprint.blueprint import Auxiliary, Fragment, Part
from nasablate.blueprint.draft import Draft, Style
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import (
    AdaptivePool,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Linear,
    Pool,
    Shape,
)
from nasablate.errors import GenomeError, Problem
from nasablate.genome.head import AuxiliaryHead, Head


@lru_cache(maxsize=256)
def lower_head(style: Style, head: Head, classes: int, shape: Shape) -> Fragment:
    """Return what follows the last unit, whose result has ``shape``.

    Raises:
        GenomeError: the classifier has no use for the pool.
    """
    draft = Draft(style, shape)
    source = draft.emit_slot("tail", head.tail, IMAGE)
    if head.penultimate is not None:
        conv = Conv(draft.shape(source)[0], head.penultimate, 1)
        source = draft.emit("penultimate", conv, source)
        source = draft.emit_slot("penultimate", ("bn", "relu"), source)
    if head.classifier == "conv":
        return _convolutional(draft, head, classes, source)
    if head.pool == "gap":
        source = draft.emit("pool", GlobalPool(), source)
    source = draft.emit("flatten", Flatten(), source)
    for number, width in enumerate(head.hidden, start=1):
        source = _linear(draft, head, f"hidden{number}", width, source)
        source = draft.emit(f"hidden{number}_relu", draft.token("relu", source), source)
        source = _dropout(draft, head, "after_hidden", source)
    return draft.finish("head", _linear(draft, head, "fc", classes, source))


def lower_auxiliary(
    style: Style, heads: Sequence[AuxiliaryHead], classes: int, parts: Sequence[Part]
) -> tuple[Auxiliary, ...]:
    """Return the classifiers beside a chain of parts.

    Raises:
        GenomeError: the unit does not exist, or its maps are too small for the pool.
    """
    found: list[Auxiliary] = []
    for number, head in enumerate(heads):
        place = _find(head, number, parts)
        shape = parts[place].fragment.output_shape
        try:
            # pyright does not know that pydantic's frozen records can be hashed
            fragment = _lower_auxiliary(style, head, classes, shape)  # pyright: ignore[reportArgumentType]
        except GenomeError as error:
            raise _too_small(head, number, shape) from error
        found.append(Auxiliary(Part(f"auxiliary.{number}", -1, fragment), place, head.weight))
    return tuple(found)


def _convolutional(draft: Draft, head: Head, classes: int, source: int) -> Fragment:
    if head.pool != "gap":
        rule = "a convolutional classifier is averaged over all positions"
        remedy = "use head.pool: gap, or head.classifier: linear"
        raise GenomeError(Problem("head.pool", head.pool, rule, remedy, loc=("head", "pool")))
    names = [f"hidden{number}" for number in range(1, len(head.hidden) + 1)]
    for name, width in zip([*names, "fc"], [*head.hidden, classes], strict=True):
        source = _before(draft, head, name, source)
        source = draft.emit(name, Conv(draft.shape(source)[0], width, 1, bias=True), source)
        source = draft.emit(f"{name}_relu", draft.token("relu", source), source)
        if name != "fc":
            source = _dropout(draft, head, "after_hidden", source)
    source = draft.emit("pool", GlobalPool(), source)
    return draft.finish("head", draft.emit("flatten", Flatten(), source))


def _linear(draft: Draft, head: Head, name: str, width: int, source: int) -> int:
    source = _before(draft, head, name, source)
    return draft.emit(name, Linear(draft.shape(source)[0], width), source)


def _before(draft: Draft, head: Head, name: str, source: int) -> int:
    """Append the dropout before a linear layer, where there is one."""
    source = _dropout(draft, head, "linear", source)
    return source if name == "fc" else _dropout(draft, head, "hidden", source)


def _dropout(draft: Draft, head: Head, place: str, source: int) -> int:
    if head.dropout == 0 or head.dropout_at != place:
        return source
    return draft.emit("dropout", Dropout(head.dropout), source)


def _find(head: AuxiliaryHead, number: int, parts: Sequence[Part]) -> int:
    places = [index for index, part in enumerate(parts) if part.stage == head.stage]
    unit = -1 if head.unit is None else head.unit
    if unit < len(places) and places:
        return places[unit]
    path, value = f"auxiliary[{number}].stage", head.stage
    rule, remedy = "no such stage, or a stage without units", "name a stage that has units"
    if places:
        path, value = f"auxiliary[{number}].unit", unit
        rule = f"stage {head.stage} has {len(places)} units, counted from 0"
        remedy = f"use at most {len(places) - 1}, or null for the last"
    loc = ("auxiliary", number, path.rsplit(".", 1)[-1])
    raise GenomeError(Problem(path, value, rule, remedy, loc=loc))


def _too_small(head: AuxiliaryHead, number: int, shape: Shape) -> GenomeError:
    window = f"adaptive pool to {head.side}" if head.side else f"{head.kernel} x {head.kernel} pool"
    rule = f"the unit's {shape[1]} x {shape[2]} map is too small for the {window} and convolutions"
    remedy = "use smaller windows or read an earlier unit"
    loc = ("auxiliary", number)
    return GenomeError(Problem(f"auxiliary[{number}]", head.kernel, rule, remedy, loc=loc))


@lru_cache(maxsize=64)
def _lower_auxiliary(style: Style, head: AuxiliaryHead, classes: int, shape: Shape) -> Fragment:
    draft = Draft(style, shape)
    pool = Pool("avg", head.kernel, head.stride) if head.side is None else AdaptivePool(head.side)
    source = draft.emit("pool", pool, IMAGE)
    for index, spec in enumerate(head.convs, start=1):
        inputs = draft.shape(source)[0]
        conv = Conv(inputs, spec.width, spec.kernel, bias=style.conv_bias)
        source = draft.emit(f"conv{index}", conv, source)
        source = draft.emit_slot(f"post{index}", head.post, source)
    if head.pool == "gap":
        source = draft.emit("global_pool", GlobalPool(), source)
    source = draft.emit("flatten", Flatten(), source)
    for index, width in enumerate(head.hidden, start=1):
        source = draft.emit(f"hidden{index}", Linear(draft.shape(source)[0], width), source)
        source = draft.emit(f"hidden{index}_relu", draft.token("relu", source), source)
        if head.dropout > 0:
            source = draft.emit("dropout", Dropout(head.dropout), source)
    source = draft.emit("fc", Linear(draft.shape(source)[0], classes), source)
    return draft.finish("auxiliary", source)
