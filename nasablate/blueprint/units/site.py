"""Where a residual unit stands, and what all units of a network share."""

from dataclasses import dataclass, field
from typing import Literal

from nasablate.blueprint.draft import Style
from nasablate.blueprint.widths import Rounding
from nasablate.genome.genome import DropBlockSpec, SqueezeExcitation
from nasablate.genome.placement import Placement
from nasablate.genome.shortcut import ShortcutSpec
from nasablate.genome.units import UnitSpec


@dataclass(frozen=True, slots=True)
class Site:
    """One unit's place in the network; equal sites of one ``Plan`` give equal units."""

    width: int
    """The widening schedule's width for this unit."""
    stride: int
    stage_first: bool
    """Whether it is the first unit of its stage."""
    network_first: bool
    drop_path: float
    """Probability that the branch is dropped."""
    has_se: bool
    has_drop_block: bool
    where: tuple[int, int] = field(compare=False)
    """Stage and place within it, from 0; for messages only."""


@dataclass(frozen=True)
class Plan:
    """What all units of a network have in common."""

    style: Style
    unit: UnitSpec
    placement: Placement
    shortcut: ShortcutSpec
    se: SqueezeExcitation | None
    dropout: float
    drop_path_per: Literal["batch", "sample"]
    drop_path_rescale: Literal["train", "test"]
    drop_block: DropBlockSpec
    rounding: Rounding
