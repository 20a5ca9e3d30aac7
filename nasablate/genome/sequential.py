"""The looks of an ablation that stops training arms which are settled."""

from typing import Annotated, Any, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel

_BASELINE_SEEDS = 24
"""Enough to show the spread of an ablation with a single arm at its first look."""


def _baseline_seeds(given: dict[str, Any]) -> int:
    return max(_BASELINE_SEEDS, *given.get("looks", ()))


class Sequential(SpecModel):
    """Looks at planned numbers of seeds: an arm that is settled there is trained no further."""

    looks: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(min_length=1, max_length=50)
    ] = (2, 3, 4, 6, 8, 10)
    """Seeds that every open arm has at each look, growing."""
    baseline_seeds: Annotated[int, Field(ge=2, le=1000, default_factory=_baseline_seeds)]
    """Seeds of the baseline, which all arms are compared with; 24, or the last look if that is
    more. With more than 20 any number of arms will do; the square root of the number of arms times
    the seeds of an arm costs least."""
    interest: Annotated[float, Field(gt=0, le=100)] | None = None
    """Smallest difference that matters, in percentage points: an arm two standard errors short of
    it is futile and stops. Null never stops for that."""
    interest_in: Literal["worse", "both"] = "both"
    """``worse``: an arm is futile as soon as it cannot be that much worse than the baseline, though
    it may be better, as when parts are taken away."""
    spending: Literal["obrien_fleming", "power"] = "obrien_fleming"
    """How the error of 5 % is spread over the looks: ``obrien_fleming`` spends almost nothing
    early, ``power`` (the square of the share of information) stops large differences sooner."""
