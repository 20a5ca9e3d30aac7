"""Group-sequential bounds against published tables and numerical integration."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from nasablate.analysis.spending import bounds, bounds_of_spending, spent

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)


def test_published_bounds_of_five_looks():
    """Two-sided 0.05, each side spending 2 - 2 Phi(z / sqrt(t)) of 0.025.

    Table of the programs of Reboussin, DeMets, Kim and Lan: 4.8769, 3.3569, 2.6803, 2.2898, 2.0310.
    """
    z = stats.norm.ppf(1 - 0.0125)
    used = tuple(float(2 * stats.norm.sf(z / math.sqrt(t))) for t in FIFTHS)
    expected = (4.8769, 3.3569, 2.6803, 2.2898, 2.0310)
    assert bounds_of_spending(FIFTHS, used) == pytest.approx(expected, abs=2e-4)


def test_published_bounds_of_pocock_and_of_obrien_and_fleming():
    """Jennison and Turnbull 2000, tables 2.1 and 2.3: five looks, 2.413 and 2.040 sqrt(5 / k).

    What they spend is worked out here on a grid of width 0.003; the bounds must come back from it.
    """
    for constants in ([2.413] * 5, [2.040 * math.sqrt(5 / k) for k in range(1, 6)]):
        used = crossing(constants)
        assert used[-1] == pytest.approx(0.025, abs=2e-4)
        assert bounds_of_spending(FIFTHS, tuple(used)) == pytest.approx(constants, abs=5e-3)


def crossing(constants):
    """Return the one-sided probability of having crossed by each look, on a fine grid."""
    grid = np.linspace(-9, 9, 6001)
    width, density, total, used = grid[1] - grid[0], None, 0.0, []
    for t, bound in zip(FIFTHS, constants, strict=True):
        if density is None:
            density = stats.norm.pdf(grid, scale=math.sqrt(t))
        else:
            kernel = stats.norm.pdf(grid, scale=math.sqrt(0.2)) * width
            density = np.convolve(density, kernel, mode="same")
        beyond = grid > bound * math.sqrt(t)
        total += float(density[beyond].sum() * width)
        density = np.where(beyond, 0, density)
        used.append(total)
    return used


@pytest.mark.parametrize("spending", ["obrien_fleming", "cubic", "power"])
@pytest.mark.parametrize("level", [0.025, 0.05 / 54 / 2])
def test_two_looks_spend_exactly_the_level(spending, level):
    first, last = bounds((0.3, 1.0), level, spending)
    assert stats.norm.sf(first) == pytest.approx(spent(spending, 0.3, level), rel=1e-10)
    later, _ = quad(
        lambda x: stats.norm.pdf(x, scale=0.3**0.5) * stats.norm.sf((last - x) / 0.7**0.5),
        -9 * 0.3**0.5,
        first * 0.3**0.5,
        epsabs=1e-16,
        epsrel=1e-12,
    )
    assert stats.norm.sf(first) + later == pytest.approx(level, abs=1e-12, rel=1e-9)


def test_one_look_is_the_fixed_test():
    for spending in ("obrien_fleming", "cubic", "power"):
        assert bounds((1.0,), 0.025, spending) == pytest.approx([1.959963984540054], abs=1e-10)


def test_the_first_bound_of_obrien_and_fleming_is_a_straight_line():
    """Crossing z / sqrt(t) is what 2 - 2 Phi(z / sqrt(t)) of both sides together means."""
    assert bounds(FIFTHS, 0.025, "obrien_fleming")[0] == pytest.approx(1.959963985 / 0.2**0.5)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.floats(0.05, 0.95), min_size=1, max_size=5, unique_by=lambda t: round(t, 2)),
    st.floats(1e-4, 0.1),
    st.sampled_from(["obrien_fleming", "cubic", "power"]),
)
def test_a_smaller_level_has_higher_bounds(times, level, spending):
    looks = (*sorted(times), 1.0)
    loose, strict = bounds(looks, level, spending), bounds(looks, level / 2, spending)
    assert all(a < b for a, b in zip(loose, strict, strict=True))
    assert loose[-1] >= stats.norm.isf(level) - 1e-9


def test_paths_cross_as_often_as_stated():
    """200,000 simulated paths of four looks."""
    times, level = (0.15, 0.4, 0.75, 1.0), 0.025
    rng = np.random.default_rng(0)
    steps = np.sqrt(np.diff((0.0, *times)))
    paths = np.cumsum(rng.normal(size=(200_000, 4)) * steps, axis=1) / np.sqrt(times)
    for spending in ("obrien_fleming", "cubic", "power"):
        crossed = (paths > bounds(times, level, spending)).any(axis=1).mean()
        assert crossed == pytest.approx(level, abs=3 * (0.025 / 200_000) ** 0.5)


@pytest.mark.parametrize(
    ("times", "used"),
    [
        ((), ()),
        ((0.5,), (0.025,)),
        ((0.5, 0.5, 1.0), (0.01, 0.02, 0.025)),
        ((0.5, 1.0), (0.02, 0.01)),
        ((0.5, 1.0), (0.02, 0.6)),
    ],
)
def test_what_does_not_grow_is_refused(times, used):
    with pytest.raises(ValueError, match="must grow to 1"):
        bounds_of_spending(times, used)
