"""Simulated factorial studies and images, one at a time through the functions that users call."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.simulated import Array, Share, holds, noise, share, t_bounds
from nasablate.analysis.correctness import crossed_bootstrap, crossed_means, mcnemar
from nasablate.analysis.effects import Cell, Effect, estimate_effects
from nasablate.analysis.fractional import fractional

_TWO = ("off", "on")
FACTORIALS = ("2^3", "3 x 2", "2^(3-1), resolution 3", "2^(5-1), resolution 5")
CELL_NOISE = ("normal", "uneven cells", "t3")
"""Of a cell's trainings, beside a seed effect of the same size. ``uneven cells``: normal, with
standard deviations of 0.5 to 2 over the cells."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How effects planted in a design came back; shares over the effects of that kind."""

    main: Share
    """95 % intervals of main effects that hold the truth, or the true sum of aliases."""
    interaction: Share | None
    """The same for interactions; None for a design that shows none alone."""
    null_found: Share | None
    """Studies in which an effect that is zero was called; None if no effect is."""
    planted_found: Share
    """Planted effects that were called."""


@dataclass(frozen=True, slots=True)
class _Design:
    factors: Mapping[str, Sequence[str]]
    cells: Sequence[Cell]

    @classmethod
    def named(cls, name: str) -> "_Design":
        match name:
            case "3 x 2":
                levels = {"a": ("off", "on", "more"), "b": _TWO}
            case _:
                letters = "abcde" if name.startswith("2^(5") else "abc"
                levels = dict.fromkeys(letters, _TWO)
        if "resolution" not in name:
            return cls(levels, list(itertools.product(*levels.values())))
        runs = fractional(tuple(levels), int(name[-1])).runs
        return cls(levels, [tuple(_TWO[(sign + 1) // 2] for sign in run) for run in runs])

    @property
    def means(self) -> Array:
        """Return the true mean of every cell: two effects, and one that both have together."""
        on = np.array([[level != "off" for level in cell] for cell in self.cells])
        return 1.5 * on[:, 0] - 1.0 * on[:, 1] + 1.5 * (on[:, 0] & on[:, 1])

    def estimate(self, table: Array) -> tuple[Effect, ...]:
        """Estimate main effects and two-factor interactions from [cells x seeds]."""
        rows = zip(self.cells, table.tolist(), strict=True)
        values = {cell: dict(enumerate(row)) for cell, row in rows}
        return estimate_effects(
            self.factors, values, seeds=table.shape[1], order=2, runs=self.cells
        )


def recovery(name: str, kind: str, studies: int, seeds: int = 8, seed: int = 0) -> Recovery:
    """Plant two effects and their interaction in a design, and estimate everything.

    Args:
        name: Of the design, one of ``FACTORIALS``.
        kind: One of ``CELL_NOISE``.
        studies: Simulated.
        seeds: Of every cell.
        seed: Of the draws.
    """
    design = _Design.named(name)
    rng = np.random.default_rng([6, seed, FACTORIALS.index(name), CELL_NOISE.index(kind)])
    means = design.means[:, None]
    spreads = np.geomspace(0.5, 2, len(means)) if kind == "uneven cells" else np.ones(len(means))
    true = design.estimate(means.repeat(2, axis=1))
    planted = np.array([abs(effect.estimate or 0.0) > 1e-9 for effect in true])
    truth = np.array([effect.estimate for effect in true])
    is_main = np.array([len(effect.factors) == 1 for effect in true])
    held = np.empty((studies, len(true)), dtype=bool)
    called = np.empty_like(held)
    for i in range(studies):
        drawn = noise(kind, (len(means), seeds), rng) if kind == "t3" else None
        own = rng.normal(size=(len(means), seeds)) if drawn is None else drawn
        found = design.estimate(means + own * spreads[:, None] + rng.normal(size=seeds))
        bounds = np.array([(e.interval.low, e.interval.high) for e in found if e.interval])
        held[i] = holds((bounds[:, 0], bounds[:, 1]), truth)
        called[i] = [effect.finding in {"lowers", "raises"} for effect in found]
    return Recovery(
        main=share(held[:, is_main]),
        interaction=None if is_main.all() else share(held[:, ~is_main]),
        null_found=None if planted.all() else share(called[:, ~planted].any(axis=1)),
        planted_found=share(called[:, planted]),
    )


@dataclass(frozen=True, slots=True)
class ImageScene:
    """Two arms that err alike on average, on images that may suit one of them better."""

    name: str
    by_image: float
    """Standard deviation over images of the difference of the two error probabilities."""
    by_seed: float
    """The same over seeds, on all images together."""


IMAGE_SCENES = (
    ImageScene("noise of single images alone", 0.0, 0.0),
    ImageScene("images differ", 0.15, 0.0),
    ImageScene("seeds differ", 0.0, 0.02),
    ImageScene("both differ", 0.15, 0.02),
)


@dataclass(frozen=True, slots=True)
class ImageCoverage:
    """How often intervals over new seeds and images hold the true difference, 0."""

    crossed: Share
    """The crossed bootstrap."""
    plain: Share
    """Percentiles of the pigeonhole bootstrap as they are."""
    over_seeds: Share
    """Student's t over the seeds, which speaks of these images alone."""


def image_coverage(
    scene: ImageScene, seeds: int, studies: int, images: int = 300, seed: int = 0
) -> ImageCoverage:
    """Simulate two arms over seeds and images, right or wrong on each.

    Args:
        scene: What differs.
        seeds: Of both arms.
        studies: Simulated, with new images each.
        images: Judged.
        seed: Of the draws.
    """
    rng = np.random.default_rng([7, seed, seeds, IMAGE_SCENES.index(scene)])
    found = np.empty((studies, 3), dtype=bool)
    for i in range(studies):
        middle = 0.2 + 0.1 * rng.random(images)
        # Two values each: the error probabilities stay between 0 and 1 and average to the same.
        half = scene.by_image / 2 * rng.choice([-1.0, 1.0], images)
        half = half + scene.by_seed / 2 * rng.choice([-1.0, 1.0], (seeds, 1))
        reference, arm = (rng.random((seeds, images)) < middle + part for part in (-half, half))
        table = 100.0 * (arm.astype(float) - reference)
        interval = crossed_bootstrap(table, resamples=400, seed=i)
        low, high = np.quantile(crossed_means(table, resamples=400, seed=i), [0.025, 0.975])
        t_low, t_high = t_bounds(table.mean(axis=1))
        bounds = ((interval.low, interval.high), (low, high), (t_low, t_high))
        found[i] = [low <= 0 <= high for low, high in bounds]
    return ImageCoverage(share(found[:, 0]), share(found[:, 1]), share(found[:, 2]))


def mcnemar_size(studies: int, images: int = 1000, seed: int = 0) -> Share:
    """Return how often two networks that err alike have p of at most 0.05."""
    rng = np.random.default_rng([8, seed])
    right = (rng.random((2, images)) < 0.94 for _ in range(studies))
    return share(np.array([mcnemar(one, other).p <= 0.05 for one, other in right]))
