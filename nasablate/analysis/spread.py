"""Spread and correlation of trainings over seeds, pooled over the arms of a sequential ablation.

Model: value = arm + seed + noise, the same spread in every arm. The noise variance is that left by
the least-squares fit of arms and seeds to all values seen (two-way analysis of variance with
missing cells); the variance of the baseline over its seeds holds the seeds' part too, so their
ratio gives the correlation r of two arms over seeds.

Outliers: an arm whose own values spread more than the pooled ones, by an F test at 5 %, is judged
by its own spread and degrees of freedom. It costs arms of equal spread little and keeps one strange
training from being taken for a difference of its arm, which pooling alone would do.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nasablate.analysis.distributions import f_quantile, t_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MIN_FREEDOM = 20
"""Degrees of freedom below which a spread is not trusted."""
OUTLIER_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """What an estimate's standard error is made of."""

    sd: float
    """Of the noise left after arm and seed, in the unit of the values."""
    freedom: int
    """Degrees of freedom of ``sd``."""
    correlation: float
    """Of two arms over seeds, 0 to 1."""
    baseline_seeds: int

    def estimate(self, arm: "NDArray[np.float64]", baseline: "NDArray[np.float64]") -> "Estimate":
        """Return arm minus baseline, corrected for the seeds drawn (see ``sequential``).

        Args:
            arm: Values of its first seeds.
            baseline: Values of all its seeds, the first the same as those of the arm.
        """
        n, r = len(arm), self.correlation
        whole = float(baseline.mean())
        own = arm - r * (baseline[:n] - whole)
        per_seed, freedom = self.sd**2 * (1 + r), self.freedom
        if n > 1:
            alone = float(own.var(ddof=1))
            if alone > per_seed * f_quantile(1 - OUTLIER_LEVEL, n - 1, self.freedom):
                per_seed, freedom = alone, n - 1
        rest = self.sd**2 * (1 - r) / self.baseline_seeds
        return Estimate(float(own.mean()) - whole, math.sqrt(per_seed / n + rest), freedom)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference of an arm from the baseline."""

    difference: float
    error: float
    """Standard error."""
    freedom: int
    """Degrees of freedom of the standard error."""

    def reach(self, tail: float) -> float:
        """Return the half width beyond which a true zero lies with probability ``tail``."""
        return -t_quantile(tail, self.freedom) * self.error


def regime(baseline_seeds: int) -> Literal["shared", "paired"]:
    """Return whether the baseline alone has the freedom that tells the correlation.

    If not, differences are taken seed by seed (``paired``), which is right for every correlation.
    """
    return "shared" if baseline_seeds > MIN_FREEDOM else "paired"


def pooled_spread(
    baseline: "NDArray[np.float64]", arms: "Sequence[NDArray[np.float64]]", seeds: int
) -> Spread:
    """Pool the spread of all values that a look sees.

    As long as the fit leaves fewer than 20 degrees of freedom, the spread is that of the baseline
    and the correlation is taken as zero, which overstates the error of a positive correlation.

    Args:
        baseline: Its values, all seeds.
        arms: The values of every arm, each from the first seed on, at most ``seeds`` of them.
        seeds: Of the open arms at this look.

    Raises:
        ValueError: neither the fit nor the baseline has 20 degrees of freedom.
    """
    total = len(baseline)
    variance, freedom = residual_variance([baseline[:seeds], *arms])
    if freedom >= MIN_FREEDOM and regime(total) == "paired":
        return Spread(math.sqrt(variance), freedom, 1.0, total)
    if total - 1 < MIN_FREEDOM:
        message = f"{freedom} degrees of freedom from {len(arms)} arms; {MIN_FREEDOM} are needed"
        raise ValueError(message)
    whole = float(baseline.var(ddof=1))
    if freedom < MIN_FREEDOM:
        return Spread(math.sqrt(whole), total - 1, 0.0, total)
    correlation = max(0.0, 1 - variance / whole) if whole > 0 else 0.0
    return Spread(math.sqrt(variance), freedom, correlation, total)


def residual_variance(rows: "Sequence[NDArray[np.float64]]") -> tuple[float, int]:
    """Return the noise variance after effects of row and column, and its degrees of freedom.

    Args:
        rows: Values of every arm from the first seed on; the first row is the longest.
    """
    import numpy as np

    width = len(rows[0])
    full = [row for row in rows if len(row)]
    lengths = np.array([float(len(row)) for row in full])
    seen = np.arange(width) < lengths[:, None]
    values = np.zeros(seen.shape)
    values[seen] = np.concatenate(full)
    within = np.where(seen, values - (values.sum(axis=1) / lengths)[:, None], 0.0)
    # Row means eliminated, the normal equations of the columns remain.
    counted = seen.astype(np.float64)
    overlaps = (counted / lengths[:, None]).T @ counted
    equations = (np.diag(counted.sum(axis=0)) - overlaps).astype(np.float64)
    sums = within.sum(axis=0).astype(np.float64)
    # The full first row connects all columns, so that fixing one of them leaves the rest unique.
    columns: NDArray[np.float64] = np.linalg.inv(equations[1:, 1:]) @ sums[1:]
    freedom = int(lengths.sum()) - len(full) - (width - 1)
    left = float((within**2).sum() - columns @ sums[1:])
    return (max(0.0, left) / freedom if freedom > 0 else 0.0), freedom
