"""How much each axis matters for the error, by Optuna's PED-ANOVA over resamples of the trials."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MOST_TRIALS = 300
"""A resample of a larger search draws so many; its intervals are then wider than they need be."""
MOST_PAIRED_AXES = 6
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class AxisImportance:
    """One axis."""

    axis: str
    importance: float
    """Share, of all axes together 1: the mean over resamples."""
    low: float
    """Lower end of the 95 % percentile interval over resamples."""
    high: float


@dataclass(frozen=True, slots=True)
class PairImportance:
    """Two axes."""

    axes: tuple[str, str]
    share: float
    """Of the error's variance that the cells of both explain beyond the sum of the two axes,
    corrected for their number (epsilon squared), 0 at least."""
    cells: int
    """Combinations with a trial."""


def axis_importances(
    levels: Mapping[str, Sequence[str]], errors: Sequence[float], resamples: int, seed: int
) -> tuple[AxisImportance, ...]:
    """Return the axes, the most important first.

    Args:
        levels: Value of every trial, as words, by axis.
        errors: Of the trials, in percent.
        resamples: Of the trials, with replacement.
        seed: Of the resampling.
    """
    generator = np.random.default_rng(seed)
    size = min(len(errors), MOST_TRIALS)
    drawn: dict[str, list[float]] = {name: [] for name in levels}
    for _ in range(resamples):
        chosen = generator.integers(0, len(errors), size)
        found = _importances(levels, errors, [int(place) for place in chosen])
        for name, values in drawn.items():
            values.append(found.get(name, 0.0))
    tail = (1 - _LEVEL) / 2
    result: list[AxisImportance] = []
    for name, values in drawn.items():
        low, high = np.quantile(values, [tail, 1 - tail]).tolist()
        result.append(AxisImportance(name, statistics.fmean(values), low, high))
    return tuple(sorted(result, key=lambda one: -one.importance))


def _importances(
    levels: Mapping[str, Sequence[str]], errors: Sequence[float], chosen: Sequence[int]
) -> dict[str, float]:
    import optuna
    from optuna.distributions import CategoricalDistribution
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    distributions = {
        name: CategoricalDistribution(tuple(dict.fromkeys(values)))
        for name, values in levels.items()
    }
    study = optuna.create_study()
    study.add_trials(
        [
            create_trial(
                params={name: values[place] for name, values in levels.items()},
                distributions=dict(distributions),
                value=errors[place],
            )
            for place in chosen
        ]
    )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=0.25, evaluate_on_local=False)
    return get_param_importances(study, evaluator=evaluator)


def pair_importances(
    levels: Mapping[str, Sequence[str]], errors: Sequence[float]
) -> tuple[PairImportance, ...]:
    """Return pairs of axes, the largest interaction first; those that cannot be told are left out.

    A pair can be told only if some combinations have several trials.
    """
    names = list(levels)[:MOST_PAIRED_AXES]
    measured = np.asarray(errors, dtype=float)
    total = float(((measured - measured.mean()) ** 2).sum())
    found: list[PairImportance] = []
    for one, other in itertools.combinations(names, 2):
        first, second = _codes(levels[one]), _codes(levels[other])
        cells = _codes([f"{a} {b}" for a, b in zip(first, second, strict=True)])
        additive = np.hstack([_dummies(first), _dummies(second)])
        left_additive, rank = _residual(additive, measured)
        left_cells, num_cells = _residual(_dummies(cells), measured)
        free = len(measured) - num_cells
        if total <= 0 or free < 1 or num_cells <= rank:
            continue
        noise = left_cells / free
        gained = left_additive - left_cells - (num_cells - rank) * noise
        found.append(PairImportance((one, other), max(0.0, gained / total), num_cells))
    return tuple(sorted(found, key=lambda pair: -pair.share))


def _codes(values: Sequence[str]) -> list[str]:
    places = {value: str(place) for place, value in enumerate(dict.fromkeys(values))}
    return [places[value] for value in values]


def _dummies(codes: Sequence[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return np.eye(len(set(codes)))[[int(code) for code in codes]]


def _residual(
    design: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
    measured: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> tuple[float, int]:
    """Return the sum of squares that a design leaves, and its rank."""
    solution, _, rank, _ = np.linalg.lstsq(design, measured, rcond=None)
    return float(((measured - design @ solution) ** 2).sum()), int(rank)
