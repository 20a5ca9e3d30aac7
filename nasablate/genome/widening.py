"""Widening schedules: from the index of a residual unit to its width.

All schedules start at the genome's ``width``. Sources: He et al. 2015 (step), Han et al. 2017,
arXiv 1610.02915, eq. 2-4 (additive, multiplicative) with the rounding of the official code.
"""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import Count, SpecModel


class _Schedule(SpecModel):
    multiplier: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Multiplies every width before it is rounded (a width multiplier, as of ReXNet)."""
    rounding: Literal["half_up", "half_even", "floor"] = "half_up"
    """How the running float becomes an integer; ``half_up`` is the official Lua code's rule,
    ``half_even`` the PyTorch port's, ``floor`` the paper's formula on the running float."""
    multiple_of: Count = 1
    """Round each width to the nearest positive multiple (hardware-friendly widths)."""


class Step(_Schedule):
    """The width is multiplied at each downsampling after the first stage (ResNet)."""

    kind: Literal["step"] = "step"
    factor: Annotated[float, Field(gt=0, le=16)] = 2.0


class _Gradual(_Schedule):
    first: Literal["widened", "start"] = "widened"
    """Whether the first unit already has the first increment (PyramidNet's code) or the start
    width (ReXNet's)."""


class Additive(_Gradual):
    """PyramidNet: every unit adds ``alpha / N``, N the number of units; alpha is the total."""

    kind: Literal["additive"] = "additive"
    alpha: Annotated[float, Field(ge=0, le=1e6)]


class Multiplicative(_Gradual):
    """PyramidNet: every unit multiplies by ``alpha ** (1 / N)``; alpha is the total factor."""

    kind: Literal["multiplicative"] = "multiplicative"
    alpha: Annotated[float, Field(gt=0, le=1e6)]


class Explicit(_Schedule):
    """Widths written out, one per stage or one per unit."""

    kind: Literal["explicit"] = "explicit"
    widths: Annotated[tuple[Count, ...], Field(min_length=1, max_length=5000)]


WideningSpec = Annotated[Step | Additive | Multiplicative | Explicit, Field(discriminator="kind")]
