"""Spread and correlation of trainings over seeds, pooled over the arms of a sequential ablation.

Model: value = arm + seed + noise, the same spread in every arm. The noise variance is that left by
the least-squares fit of arms and seeds to all values seen (two-way analysis of variance with
missing cells); the variance of the baseline over its seeds holds the seeds' part too, so their
ratio gives the correlation r of two arms over seeds.

Arms that spread more: if there are at least 20, how much their variances differ is estimated from
all of them (``moderation``), and an arm is judged by its moderated variance if that is larger
than the pooled one, with the degrees of freedom that go with it. Of a few arms one strange one
would widen all. An arm whose own values spread more than the pooled ones, by an F test at 5 %, is
judged by its own spread and degrees of freedom alone, which keeps one strange training from being
taken for a difference of its arm. Both cost arms of equal spread little.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from nasablate.analysis.distributions import f_quantile, t_quantile
from nasablate.analysis.moderation import variance_prior

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

MIN_FREEDOM = 20
"""Degrees of freedom below which a spread is not trusted."""
OUTLIER_LEVEL = 0.05
MIN_ARMS = 20
"""Arms with two values or more below which it is not asked how much their spreads differ."""


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
    prior_freedom: float | None = None
    """How alike the arms' variances are, in degrees of freedom; None if all the same, or few."""
    prior_level: float = 1.0
    """The usual variance of an arm over the pooled one."""

    def estimate(self, arm: "NDArray[np.float64]", baseline: "NDArray[np.float64]") -> "Estimate":
        """Return arm minus baseline, corrected for the seeds drawn (see ``sequential``).

        Args:
            arm: Values of its first seeds.
            baseline: Values of all its seeds, the first the same as those of the arm.
        """
        n, r = len(arm), self.correlation
        whole = float(baseline.mean())
        own = arm - r * (baseline[:n] - whole)
        per_seed, freedom = self._per_seed(float(own.var(ddof=1)) if n > 1 else 0.0, n - 1)
        rest = self.sd**2 * (1 - r) / self.baseline_seeds
        return Estimate(float(own.mean()) - whole, math.sqrt(per_seed / n + rest), freedom)

    def _per_seed(self, alone: float, own_freedom: int) -> tuple[float, float]:
        """Return the variance of an arm's value at one seed, and its degrees of freedom.

        Args:
            alone: Sample variance of the arm.
            own_freedom: Its degrees of freedom, 0 if there is none.
        """
        pooled = self.sd**2 * (1 + self.correlation)
        if own_freedom < 1:
            return pooled, self.freedom
        if alone > pooled * f_quantile(1 - OUTLIER_LEVEL, own_freedom, self.freedom):
            return alone, own_freedom
        if self.prior_freedom is None:
            return pooled, self.freedom
        total = self.prior_freedom + own_freedom
        usual = self.prior_level * pooled
        moderated = (self.prior_freedom * usual + own_freedom * alone) / total
        return max(pooled, moderated), min(self.freedom, total)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference of an arm from the baseline."""

    difference: float
    error: float
    """Standard error."""
    freedom: float
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
    """Pool the spread of all values that a look sees, and say how it varies from arm to arm.

    As long as the fit leaves fewer than 20 degrees of freedom, the spread is that of the baseline
    and the correlation is taken as zero, which overstates the error of a positive correlation.

    Args:
        baseline: Its values, all seeds.
        arms: The values of every arm, each from the first seed on, at most ``seeds`` of them.
        seeds: Of the open arms at this look.

    Raises:
        ValueError: neither the fit nor the baseline has 20 degrees of freedom.
    """
    pooled = _pooled(baseline, arms, seeds)
    ratios = list(_ratios(pooled, baseline, arms))
    if len(ratios) < MIN_ARMS:
        return pooled
    import numpy as np

    values = np.array([ratios])
    freedom, level = variance_prior(values[:, :, 0], values[:, :, 1])
    if math.isinf(freedom[0]):
        return pooled
    return replace(pooled, prior_freedom=float(freedom[0]), prior_level=float(level[0]))


def _ratios(
    pooled: Spread, baseline: "NDArray[np.float64]", arms: "Sequence[NDArray[np.float64]]"
) -> "Iterator[tuple[float, int]]":
    """Yield variance over the pooled one, and degrees of freedom, of arms with two values."""
    variance, r = pooled.sd**2 * (1 + pooled.correlation), pooled.correlation
    for arm in arms:
        n = len(arm)
        if n > 1 and variance > 0:
            own = arm - r * (baseline[:n] - baseline.mean())
            yield float(own.var(ddof=1)) / variance, n - 1


def _pooled(
    baseline: "NDArray[np.float64]", arms: "Sequence[NDArray[np.float64]]", seeds: int
) -> Spread:
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
