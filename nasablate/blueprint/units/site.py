"""Where a residual unit stands: everything its lowering needs besides the genome."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """One unit's place in the network."""

    stage: int
    index: int
    """Place within the stage, from 0."""
    position: int
    """Place in the whole network, from 1."""
    total: int
    """Number of units in the network."""
    width: int
    """The widening schedule's width for this unit."""
    stride: int

    @property
    def name(self) -> str:
        """Return the unit's name, ``stages.<stage>.<index>``."""
        return f"stages.{self.stage}.{self.index}"
