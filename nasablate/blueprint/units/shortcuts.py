"""Lowering of shortcuts and of how they join the branch."""

from typing import assert_never

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Act, Conv, Dropout, Gate, PadChannels, Pool, Scale, Shape
from nasablate.blueprint.units.site import Plan, Site
from nasablate.errors import GenomeError, Problem
from nasablate.genome.shortcut import Identity, NoShortcut, Partial, Projection, Reads, ZeroPad


def has_shortcut(plan: Plan, site: Site, inputs: int, outputs: int) -> bool:
    """Return whether a unit with so many input and output channels has a shortcut at all."""
    match plan.shortcut:
        case NoShortcut():
            return False
        case Partial():
            return site.stride == 1 and inputs <= outputs
        case Identity() | ZeroPad() | Projection():
            return True
        case _:
            assert_never(plan.shortcut)


def emit_shortcut(
    draft: Draft, plan: Plan, site: Site, activated: int, branch: int
) -> tuple[int | None, int]:
    """Append the shortcut's layers and return the last of the shortcut and of the branch.

    The shortcut is None if there is none. The branch gets what joining asks of it: a constant
    factor, or the gate of exclusive gating (arXiv 1603.05027, Fig. 2).

    Args:
        draft: The unit under construction.
        plan: What all units share.
        site: The unit's place.
        activated: Index of the output of the unit's ``pre`` slot.
        branch: Last layer of the branch.

    Raises:
        GenomeError: this form cannot join input and branch.
    """
    spec, outputs = plan.shortcut, draft.shape(branch)[0]
    if isinstance(spec, NoShortcut) or not has_shortcut(plan, site, draft.input[0], outputs):
        return None, branch
    source, joined = _form(draft, plan, site, outputs, activated)
    if spec.scale != 1:
        joined = draft.emit("shortcut_scale", Scale(spec.scale), joined)
    if spec.branch_scale != 1:
        branch = draft.emit("branch_scale", Scale(spec.branch_scale), branch)
    if spec.gate != "none":
        gate = _gate(draft, site, spec.gate_bias, source, outputs)
        rest = draft.emit("shortcut_gate_rest", Scale(-1.0, 1.0), gate)
        joined = draft.emit("shortcut_gated", Gate(), joined, rest)
        if spec.gate == "exclusive":
            branch = draft.emit("branch_gated", Gate(), branch, gate)
    if spec.dropout > 0:
        joined = draft.emit("shortcut_dropout", Dropout(spec.dropout), joined)
    return joined, branch


def _form(draft: Draft, plan: Plan, site: Site, outputs: int, activated: int) -> tuple[int, int]:
    """Return what the shortcut reads, and the shortcut brought to the branch's shape."""
    shortcut, inputs = plan.shortcut, draft.input[0]
    assert not isinstance(shortcut, NoShortcut)
    changes = site.stride > 1 or inputs != outputs
    match shortcut:
        case Identity():
            if changes:
                remedy = "use shortcut.kind: zero_pad"
                raise _refuse(site, inputs, outputs, "identity keeps the shape", remedy)
            return IMAGE, IMAGE
        case Partial():
            return IMAGE, _pad(draft, outputs, IMAGE)
        case ZeroPad():
            source = _source(shortcut.reads, site, activated, changes=changes)
            return source, _zero_pad(draft, site, shortcut, outputs, source)
        case Projection():
            source = _source(shortcut.reads, site, activated, changes=changes)
            return source, _option_b_or_c(draft, plan, site, outputs, source)
        case _:
            assert_never(shortcut)


def _option_b_or_c(draft: Draft, plan: Plan, site: Site, outputs: int, source: int) -> int:
    """Append a projection, or what stands for it in units that do without."""
    assert isinstance(plan.shortcut, Projection)
    when, widens = plan.shortcut.when, draft.shape(source)[0] != outputs
    if when == "always" or site.stride > 1 or (widens and when == "shape_change"):
        return _projection(draft, plan.shortcut, site, outputs, source, bias=plan.style.conv_bias)
    if draft.shape(source)[0] > outputs:
        rule, remedy = "zeros cannot remove channels", "use shortcut.when: shape_change"
        raise _refuse(site, draft.shape(source)[0], outputs, rule, remedy)
    return _pad(draft, outputs, source)


def _source(reads: Reads, site: Site, activated: int, *, changes: bool) -> int:
    match reads:
        case "raw":
            return IMAGE
        case "shape_change":
            return activated if changes else IMAGE
        case "stage_first":
            return activated if site.stage_first else IMAGE
        case _:
            assert_never(reads)


def _zero_pad(draft: Draft, site: Site, shortcut: ZeroPad, outputs: int, source: int) -> int:
    inputs = draft.shape(source)[0]
    if inputs > outputs:
        remedy = "use shortcut.kind: projection"
        raise _refuse(site, inputs, outputs, "zero_pad cannot remove channels", remedy)
    if site.stride > 1:
        kernel = 1 if shortcut.reduce == "subsample" else site.stride
        pool = Pool("avg", kernel, site.stride, ceil=kernel > 1)
        source = draft.emit("shortcut_pool", pool, source)
    return _pad(draft, outputs, source, both=shortcut.pad_at == "both")


def _pad(draft: Draft, outputs: int, source: int, *, both: bool = False) -> int:
    missing = outputs - draft.shape(source)[0]
    if not missing:
        return source
    before = missing // 2 if both else 0
    return draft.emit("shortcut_pad", PadChannels(before, missing - before), source)


def _projection(
    draft: Draft, shortcut: Projection, site: Site, outputs: int, source: int, *, bias: bool
) -> int:
    stride = site.stride
    kernel = shortcut.kernel if stride > 1 else 1
    if shortcut.reduce == "avg_pool" and stride > 1:
        source = draft.emit("shortcut_pool", Pool("avg", stride, stride, ceil=True), source)
        stride = 1
    inputs = draft.shape(source)[0]
    conv = Conv(inputs, outputs, kernel, stride, kernel // 2, bias=bias)
    source = draft.emit("shortcut_conv", conv, source)
    return draft.emit_slot("shortcut", ("bn",), source) if shortcut.bn else source


def _gate(draft: Draft, site: Site, bias: float, source: int, outputs: int) -> int:
    """Append the gating function: sigmoid of a 1x1 convolution with a bias."""
    conv = Conv(draft.shape(source)[0], outputs, 1, site.stride, bias=True)
    gate = draft.emit("shortcut_gate_conv", conv, source)
    if bias:
        gate = draft.emit("shortcut_gate_bias", Scale(1.0, bias), gate)
    return draft.emit("shortcut_gate", Act("sigmoid"), gate)


def check_agreement(draft: Draft, site: Site, shortcut: int, branch: int) -> None:
    """Refuse to add what differs in size, which a branch without padding does.

    Raises:
        GenomeError: branch and shortcut have different shapes.
    """
    found, wanted = draft.shape(branch), draft.shape(shortcut)
    if found != wanted:
        rule = f"the branch makes {_size(found)} of what the shortcut makes {_size(wanted)}"
        remedy = "use unit.padding: same, or shortcut.kind: none"
        stage, unit = site.where
        path = f"stages[{stage}].units[{unit}]"
        raise GenomeError(Problem(path, _size(draft.input), rule, remedy, loc=("shortcut",)))


def _size(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _refuse(site: Site, inputs: int, outputs: int, rule: str, remedy: str) -> GenomeError:
    change = f"{inputs} -> {outputs} channels, stride {site.stride}"
    path = f"stages[{site.where[0]}].units[{site.where[1]}]"
    return GenomeError(Problem(path, change, rule, remedy, loc=("shortcut",)))
