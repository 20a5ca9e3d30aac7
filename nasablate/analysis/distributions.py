"""Quantiles and tail probabilities, from scipy.special: quick to load, typed, scalars only.

scipy.stats has the same and more, but takes over a second to import; a finished ablation should
answer at once.
"""

import math

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
from scipy import special


def normal_cdf(z: float) -> float:
    """Return P(Z <= z) of the standard normal."""
    return float(special.ndtr(z))


def normal_quantile(p: float) -> float:
    """Return z with P(Z <= z) = p."""
    return float(special.ndtri(p))


def t_cdf(t: float, freedom: float) -> float:
    """Return P(T <= t) of Student's t."""
    return float(special.stdtr(freedom, t))


def t_quantile(p: float, freedom: float) -> float:
    """Return t with P(T <= t) = p of Student's t."""
    return float(special.stdtrit(freedom, p))


def noncentral_t_cdf(t: float, freedom: float, shift: float) -> float:
    """Return P(T <= t) of the noncentral t with noncentrality ``shift``."""
    found = float(special.nctdtr(freedom, shift, t))
    # Between about 1e-200 and zero it gives no number.
    return 0.0 if math.isnan(found) and shift > t + 20 else found


def chi2_quantile(p: float, freedom: float) -> float:
    """Return x with P(X <= x) = p of chi squared."""
    return float(special.chdtri(freedom, 1 - p))


def f_quantile(p: float, freedom: float, below: float) -> float:
    """Return x with P(X <= x) = p of F with ``freedom`` over ``below`` degrees of freedom."""
    return float(special.fdtri(freedom, below, p))


def binomial_cdf(k: int, n: int, p: float) -> float:
    """Return P(K <= k) of ``n`` trials with success probability ``p``."""
    return float(special.bdtr(k, n, p))
