"""Which units of a network can be deleted, how, and why the others cannot. No torch."""

from dataclasses import dataclass
from typing import Literal

from nasablate.blueprint.blueprint import Blueprint, Fragment, Part

Way = Literal["shortcut", "identity", "none"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One part of a network and what deleting it would mean."""

    unit: int
    """Index in ``Blueprint.units``; the stem is 0."""
    name: str
    stage: int
    """From 0; -1 for stem and head."""
    way: Way
    """``shortcut``: the branch is left out, the shortcut (with its pooling, padding, projection
    or gate) and what follows the addition still run. ``identity``: a plain unit that keeps its
    shape is passed over. ``none``: it cannot be deleted."""
    reason: str
    """Why it cannot be deleted, or what its deletion is; never empty for ``identity``, ``none``."""
    downsampling: bool
    """Whether its output has fewer rows or columns than its input."""
    changes_shape: bool
    """Whether rows, columns or channels change."""

    @property
    def possible(self) -> bool:
        """Return whether the unit can be deleted."""
        return self.way != "none"

    def refuses(self, branch: float) -> str:
        """Return why the unit cannot run with this factor on its branch; empty if it can."""
        if branch == 1 or self.way == "shortcut":
            return ""
        if self.way == "none":
            return self.reason
        return "" if branch == 0 else "no shortcut, so there is no branch to be weakened"


def deletable(blueprint: Blueprint) -> tuple[Candidate, ...]:
    """Return one candidate for every part, stem and head included, in order of execution.

    Example:
        >>> from nasablate.blueprint import lower
        >>> from nasablate.genome import load_genome
        >>> [c.reason for c in deletable(lower(load_genome("plain-20"))) if c.downsampling][0]
        'no shortcut, and the shape changes from 16x32x32 to 32x16x16'
    """
    return tuple(_candidate(index, part) for index, part in enumerate(blueprint.parts))


def _candidate(index: int, part: Part) -> Candidate:
    fragment = part.fragment
    before, after = fragment.input, fragment.output_shape
    way, reason = _way(part)
    return Candidate(
        unit=index,
        name=part.name,
        stage=part.stage,
        way=way,
        reason=reason,
        downsampling=part.stage >= 0 and before[1:] != after[1:],
        changes_shape=before != after,
    )


def _way(part: Part) -> tuple[Way, str]:
    fragment = part.fragment
    if part.stage < 0:
        return "none", f"the {fragment.kind} is no unit: nothing goes around it"
    if has_branch(fragment):
        return "shortcut", ""
    before, after = fragment.input, fragment.output_shape
    if before != after:
        change = f"from {shape_text(before)} to {shape_text(after)}"
        return "none", f"no shortcut, and the shape changes {change}"
    return "identity", "no shortcut: the whole unit is replaced by the identity"


def has_branch(fragment: Fragment) -> bool:
    """Return whether the fragment adds a residual branch to a shortcut."""
    return None not in (fragment.branch, fragment.shortcut, fragment.merge)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as text.

    >>> shape_text((16, 32, 32))
    '16x32x32'
    """
    return "x".join(map(str, shape))
