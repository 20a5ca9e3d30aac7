"""How much the spread of trainings varies from arm to arm, by empirical Bayes.

Model: the noise variance of an arm is a draw from a scaled inverse chi squared distribution, so
that its sample variance over the pooled one is ``level`` times an F variable with the arm's degrees
of freedom over ``freedom`` (Smyth 2004, "Linear models and empirical Bayes methods for assessing
differential expression in microarray experiments", section 6.2). Both are found by maximum
likelihood on a grid, which needs fewer arms than the moments of logarithms.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

FREEDOMS = (math.inf, 100.0, 50.0, 30.0, 20.0, 14.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0)
"""Those of equal spread first, which win if nothing is more likely."""
LEVELS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""The pooled variance is a mean that a few restless arms raise above what is usual."""
_LEAST = 1e-12
_GAIN = 1e-9


def variance_prior(
    ratios: "NDArray[np.float64]", freedoms: "NDArray[np.float64]"
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Return degrees of freedom and level of the arms' variances, each by study.

    Args:
        ratios: [studies x arms], sample variance of every arm over the pooled variance.
        freedoms: [studies x arms], degrees of freedom of the sample variance; 0 leaves an arm out.
    """
    import numpy as np

    known = freedoms > 0
    d = np.where(known, freedoms, 1.0)[:, None, :]
    levels = np.array(LEVELS)[None, :, None]
    scaled = np.where(known, np.maximum(ratios, _LEAST), 1.0)[:, None, :] / levels
    best = np.full(len(ratios), -np.inf)
    freedom, level = np.full(len(ratios), math.inf), np.ones(len(ratios))
    for candidate in FREEDOMS:
        terms = _log_density(scaled, d, candidate) - d / 2 * np.log(levels)
        likelihood = np.where(known[:, None, :], terms, 0.0).sum(axis=2)
        place = likelihood.argmax(axis=1)
        found = likelihood.max(axis=1)
        better = found > best + _GAIN
        best = np.where(better, found, best)
        freedom = np.where(better, candidate, freedom)
        level = np.where(better, np.array(LEVELS)[place], level)
    return freedom, level


def _log_density(
    scaled: "NDArray[np.float64]", d: "NDArray[np.float64]", below: float
) -> "NDArray[np.float64]":
    """Return the logarithm of the density of F, of chi squared over d if ``below`` is infinite.

    What depends on neither ``below`` nor the level is left out.
    """
    import numpy as np
    from scipy.special import gammaln

    if math.isinf(below):
        return d / 2 * np.log(d / 2) - gammaln(d / 2) - d * scaled / 2
    start = gammaln((d + below) / 2) - gammaln(d / 2) - gammaln(below / 2)
    rest = (d + below) / 2 * np.log1p(d * scaled / below)
    return start + d / 2 * np.log(d / below) - rest
