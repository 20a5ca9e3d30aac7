"""What an ablation can find with its seeds, from the noise that a pilot tells of."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nasablate.analysis.power import POWER, detectable, sd_interval, seeds_for
from nasablate.genome import AblationSpec
from nasablate.search.ablation_tables import count_effects
from nasablate.search.arms import Arms
from nasablate.search.pilot import Noise


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest difference found with 80 % power, of an arm or of an effect."""

    what: str
    """``arm`` (with the reference) or ``effect``."""
    family: int
    """Comparisons that Holm corrects for."""
    unit: Literal["percentage points", "standard deviations of a paired difference"]
    sd: float
    """Of what is averaged over the seeds."""
    difference: float | None
    """None if so few seeds find nothing, whatever its size."""
    low: float | None
    """The same at the ends of the pilot's 95 % interval of the standard deviation."""
    high: float | None
    seeds_for_margin: int | None
    """Seeds that find a difference as large as ``margin``; None without a margin, or over 1,000."""

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {"power": POWER, **asdict(self)}


def find_detectable(spec: AblationSpec, arms: Arms, noise: Noise | None) -> tuple[Detectable, ...]:
    """Return what the arms, and the effects if there are any, must differ by."""
    sd = 1.0 if noise is None else noise.sd
    found = [_detectable(spec, "arm", max(1, len(arms.arms) - 1), sd, noise)]
    effects = count_effects(spec)
    if effects:
        # An effect averages over cells: with two levels it is the difference of two means of half
        # the cells. The noise of a cell is the difference's over the square root of two.
        cells = sum(not arm.cell for arm in arms.arms) * _share(spec)
        found.append(_detectable(spec, "effect", effects, sd * math.sqrt(2 / cells), noise))
    return tuple(found)


def _share(spec: AblationSpec) -> float:
    """Return the share of cells that take part in the interaction with the fewest."""
    most = sorted((len(levels) for levels in spec.factors.values()), reverse=True)[:2]
    return math.prod(2 / levels for levels in most)


def _detectable(
    spec: AblationSpec, what: str, family: int, sd: float, noise: Noise | None
) -> Detectable:
    difference = detectable(sd=sd, n=spec.seeds, arms=family)
    low = high = None
    if difference is not None and noise is not None and noise.freedom is not None:
        ends = sd_interval(sd, noise.freedom)
        low, high = difference * ends.low / sd, difference * ends.high / sd
    if noise is None:
        unit = "standard deviations of a paired difference"
        return Detectable(what, family, unit, sd, difference, None, None, None)
    needed = None if spec.margin is None else seeds_for(spec.margin, sd=sd, arms=family)
    return Detectable(what, family, "percentage points", sd, difference, low, high, needed)
