"""Numbers of the distribution of errors in a space, with bootstrap bands, to compare spaces."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.completed import ERROR_TITLE
from nasablate.figures.numerals import number

_POINTS = 120
"""Errors at which shares are given, from the least to the largest."""
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Distribution:
    """One space."""

    name: str
    n: int
    """Complete trials."""
    shares: tuple[float, ...]
    """Share of trials with at most the error at the same place."""
    low: tuple[float, ...]
    """Lower end of the pointwise 95 % percentile interval over resamples of the trials."""
    high: tuple[float, ...]
    median: float
    """Error in percent that half of the trials do not exceed."""


@dataclass(frozen=True, slots=True)
class Edf:
    """What the figure shows."""

    errors: tuple[float, ...]
    """Percent."""
    spaces: tuple[Distribution, ...]
    resamples: int

    @property
    def x_title(self) -> str:
        """Return the title of the horizontal axis."""
        return ERROR_TITLE

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return "share of complete trials with at most this error"

    def alt_text(self) -> str:
        """Return the medians in sentences."""
        shown = [f"{s.name}: median {number(s.median)} % of {s.n} trials" for s in self.spaces]
        return f"{self.y_title}. {'; '.join(shown)}."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def edf_data(spaces: Mapping[str, Sequence[float]], resamples: int, seed: int = 0) -> Edf | None:
    """Return the distribution of errors of each space; None if none has a trial.

    The bands say how much a curve depends on which trials were drawn. They mean what they say
    for trials drawn at random; a sampler that learns moves the curve to the left.

    Args:
        spaces: Errors in percent by name.
        resamples: Of the trials, with replacement.
        seed: Of the resampling.
    """
    known = {name: sorted(errors) for name, errors in spaces.items() if errors}
    if not known:
        return None
    low = min(errors[0] for errors in known.values())
    high = max(errors[-1] for errors in known.values())
    grid = tuple(low + (high - low) * place / (_POINTS - 1) for place in range(_POINTS))
    found = [_distribution(name, errors, grid, (resamples, seed)) for name, errors in known.items()]
    return Edf(grid, tuple(found), resamples)


def _distribution(
    name: str, errors: list[float], grid: Sequence[float], draws: tuple[int, int]
) -> Distribution:
    import numpy as np

    resamples, seed = draws
    n = len(errors)
    counts = np.searchsorted(np.asarray(errors), np.asarray(grid) + 1e-12, side="right")
    generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
    # the share of a resample at a grid point is binomial; jointly, a multinomial over the gaps
    gaps = np.diff(counts, prepend=0)
    drawn = generator.multinomial(n, gaps / n, size=resamples).cumsum(axis=1) / n
    tail = (1 - _LEVEL) / 2
    ends = np.quantile(drawn, [tail, 1 - tail], axis=0)
    middle = (errors[(n - 1) // 2] + errors[n // 2]) / 2
    return Distribution(
        name=name,
        n=n,
        shares=tuple((counts / n).tolist()),
        low=tuple(ends[0].tolist()),
        high=tuple(ends[1].tolist()),
        median=middle,
    )
