"""Lowering of shortcuts."""

from typing import assert_never

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Conv, PadChannels, Pool
from nasablate.blueprint.units.site import Site
from nasablate.errors import GenomeError, Problem
from nasablate.genome.shortcut import Identity, NoShortcut, Projection, Reads, ZeroPad


def emit_shortcut(draft: Draft, site: Site, outputs: int, raw: int, activated: int) -> int | None:
    """Append the shortcut's layers and return its last index; None if there is none.

    Args:
        draft: The blueprint under construction.
        site: The unit's place.
        outputs: Channels of the unit's output.
        raw: Index of the unit's input.
        activated: Index of the output of the unit's ``pre`` slot.

    Raises:
        GenomeError: this form cannot join input and branch.
    """
    shortcut = draft.genome.shortcut
    changes = site.stride > 1 or draft.shape(raw)[0] != outputs
    match shortcut:
        case NoShortcut():
            return None
        case Identity():
            if changes:
                raise _refuse(draft, site, outputs, raw, "identity keeps the shape", "zero_pad")
            return raw
        case ZeroPad():
            source = _source(shortcut.reads, site, raw, activated, changes=changes)
            return _zero_pad(draft, site, shortcut, outputs, source)
        case Projection():
            source = _source(shortcut.reads, site, raw, activated, changes=changes)
            if not changes and shortcut.when == "shape_change":
                return source
            return _projection(draft, site, shortcut, outputs, source)
        case _:
            assert_never(shortcut)


def _source(reads: Reads, site: Site, raw: int, activated: int, *, changes: bool) -> int:
    match reads:
        case "raw":
            return raw
        case "shape_change":
            return activated if changes else raw
        case "stage_first":
            return activated if site.index == 0 else raw
        case _:
            assert_never(reads)


def _zero_pad(draft: Draft, site: Site, shortcut: ZeroPad, outputs: int, source: int) -> int:
    missing = outputs - draft.shape(source)[0]
    if missing < 0:
        rule = "zero_pad cannot remove channels"
        raise _refuse(draft, site, outputs, source, rule, "projection")
    if site.stride > 1:
        kernel = 1 if shortcut.reduce == "subsample" else site.stride
        pool = Pool("avg", kernel, site.stride, ceil=kernel > 1)
        source = draft.emit("shortcut_pool", pool, source)
    if missing:
        before = missing // 2 if shortcut.pad_at == "both" else 0
        source = draft.emit("shortcut_pad", PadChannels(before, missing - before), source)
    return source


def _projection(draft: Draft, site: Site, shortcut: Projection, outputs: int, source: int) -> int:
    stride = site.stride
    if shortcut.reduce == "avg_pool" and stride > 1:
        source = draft.emit("shortcut_pool", Pool("avg", stride, stride, ceil=True), source)
        stride = 1
    inputs = draft.shape(source)[0]
    conv = Conv(inputs, outputs, 1, stride, bias=draft.conv_bias)
    source = draft.emit("shortcut_conv", conv, source)
    return draft.emit_slot("shortcut", ("bn",), source) if shortcut.bn else source


def _refuse(
    draft: Draft, site: Site, outputs: int, source: int, rule: str, better: str
) -> GenomeError:
    change = f"{draft.shape(source)[0]} -> {outputs} channels, stride {site.stride}"
    path = f"stages[{site.stage}].units[{site.index}]"
    problem = Problem(path, change, rule, f"use shortcut.kind: {better}", loc=("shortcut",))
    return GenomeError(problem)
