"""What proposes the next point of a space: random, grid, TPE and NSGA-II.

Optuna's samplers work on a shadow: an in-memory study rebuilt from the records, so that a
proposal that comes to nothing leaves no row anywhere. Every draw is seeded by the sampler's
seed and the number of the proposal; random and grid draws depend on nothing else.
"""

import hashlib
import itertools
import logging
import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol, assert_never

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.trial import TrialState

from nasablate.genome.space import Direction
from nasablate.search.axis import Assignment, Axis
from nasablate.store import ParamValue, State


class PointsLike(Protocol):
    """The part of a space that samplers see; see ``search.space.Space``."""

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Axes, conditions before what depends on them."""
        ...

    @property
    def num_cells(self) -> int | None:
        """Number of cells; None if there are infinitely many."""
        ...

    def cells(self) -> Iterator[Assignment]:
        """Yield every cell once, always in the same order."""
        ...

    def random(self, rng: random.Random, /) -> Assignment:
        """Draw a cell, every one as likely as any other but for axes with a scale of their own."""
        ...


@dataclass(slots=True)
class Known:
    """What proposing needs to know of a trial."""

    number: int
    proposal: int
    """Which proposal it was, counting rejected ones."""
    key: str
    params: Mapping[str, ParamValue]
    state: State
    values: tuple[float, ...] | None = None
    """Objective values of a complete trial."""
    stopped: tuple[int, float] | None = None
    """Epoch and objective value at the rung where it was stopped."""
    memory: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the sampler noted about it."""


@dataclass(frozen=True)
class Draw:
    """One proposed point."""

    assignment: Assignment
    memory: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Sampler(Protocol):
    """Draws points of a space."""

    @property
    def patience(self) -> int | None:
        """Rejected draws in a row after which to stop asking; None asks to the end."""
        ...

    def draw(self, index: int, history: Sequence[Known]) -> Draw | None:
        """Return proposal number `index`, or None if there is nothing left to propose."""
        ...


SamplerName = Literal["random", "grid", "tpe", "nsga2"]


def sampler_name(asked: str, num_cells: int | None, trials: int, objectives: int) -> SamplerName:
    """Resolve ``auto``: grid if it fits in the trials, else TPE, for several objectives NSGA-II.

    >>> sampler_name("auto", 12, 16, 1), sampler_name("auto", None, 16, 2)
    ('grid', 'nsga2')
    """
    match asked:
        case "random" | "grid" | "tpe" | "nsga2":
            return asked
        case _:
            if num_cells is not None and num_cells <= trials:
                return "grid"
            return "tpe" if objectives == 1 else "nsga2"


def make_sampler(
    name: SamplerName, space: PointsLike, seed: int, directions: Sequence[Direction], trials: int
) -> Sampler:
    """Return the sampler of that name; `directions` are those of the objectives."""
    match name:
        case "random":
            return RandomSampler(space, seed)
        case "grid":
            return GridSampler(space)
        case "tpe" | "nsga2":
            return ShadowSampler(name, space, seed, directions, trials)
        case _:
            assert_never(name)


def stream(seed: int, *names: object) -> random.Random:
    """Return a generator that depends only on the seed and the names."""
    return random.Random(":".join(map(str, (seed, *names))))  # noqa: S311 - no secret


class RandomSampler:
    """Every cell as likely as any other; see ``Space.random``."""

    patience: int | None = 200

    def __init__(self, space: PointsLike, seed: int) -> None:
        self._space = space
        self._seed = seed

    def draw(self, index: int, history: Sequence[Known]) -> Draw | None:
        """Return the point of that index, whatever the history."""
        del history
        return Draw(self._space.random(stream(self._seed, "random", index)))


class GridSampler:
    """Every cell of a finite space once, in the order of its axes."""

    patience: int | None = None

    def __init__(self, space: PointsLike) -> None:
        self._space = space
        self._cells = space.cells()
        self._next = 0

    def draw(self, index: int, history: Sequence[Known]) -> Draw | None:
        """Return the cell of that index, whatever the history."""
        del history
        if index < self._next:
            self._cells, self._next = self._space.cells(), 0
        cell = next(itertools.islice(self._cells, index - self._next, None), None)
        self._next = index + 1
        return None if cell is None else Draw(cell)


class ShadowSampler:
    """One of Optuna's samplers over an in-memory copy of the study."""

    patience: int | None = 40

    def __init__(
        self,
        name: Literal["tpe", "nsga2"],
        space: PointsLike,
        seed: int,
        directions: Sequence[Direction],
        trials: int,
    ) -> None:
        self._name: Literal["tpe", "nsga2"] = name
        self._space = space
        self._seed = seed
        self._trials = trials
        self._distributions = {axis.name: distribution(axis) for axis in space.axes}
        self._storage = optuna.storages.InMemoryStorage()
        logging.getLogger("optuna").setLevel(logging.WARNING)
        self._study = optuna.create_study(storage=self._storage, directions=list(directions))
        self._shadows: dict[int, int] = {}
        """Trial number to the number of its shadow."""
        self._closed: set[int] = set()
        self._open: tuple[int, int] | None = None
        """The last proposal and its shadow, until it is known whether it was accepted."""

    def draw(self, index: int, history: Sequence[Known]) -> Draw | None:
        """Return a point that Optuna's sampler expects to be good given the history."""
        self._follow(history)
        self._study.sampler = self._sampler(index)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            trial = self._study.ask()
            assignment: Assignment = {}
            for axis in self._space.axes:
                if axis.is_active(assignment):
                    assignment[axis.name] = _suggest(trial, axis)
        self._open = (index, trial.number)
        return Draw(assignment, dict(self._storage.get_trial(self._id(trial.number)).system_attrs))

    def _sampler(self, index: int) -> BaseSampler:
        seed = int.from_bytes(hashlib.sha256(f"{self._seed}:{index}".encode()).digest()[:4])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            match self._name:
                case "tpe":
                    return TPESampler(
                        n_startup_trials=max(4, min(10, self._trials // 4)),
                        multivariate=True,
                        constant_liar=True,
                        seed=seed,
                    )
                case "nsga2":
                    # Optuna's 50 would leave a short search in its first, random generation.
                    return NSGAIISampler(
                        population_size=max(4, min(50, self._trials // 5)), seed=seed
                    )

    def _follow(self, history: Sequence[Known]) -> None:
        """Bring the shadow up to date with the records."""
        for known in history:
            if known.number in self._closed:
                continue
            if known.number not in self._shadows:
                self._shadows[known.number] = self._adopt(known)
            self._close(known)
        if self._open is not None:  # nobody took the last proposal
            self._study.tell(self._open[1], state=TrialState.FAIL)
            self._open = None

    def _adopt(self, known: Known) -> int:
        if self._open is not None and self._open[0] == known.proposal:
            shadow = self._open[1]
            self._open = None
            return shadow
        params = {
            name: value for name, value in known.params.items() if name in self._distributions
        }
        self._study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.RUNNING,
                params=params,
                distributions={name: self._distributions[name] for name in params},
                system_attrs=dict(known.memory),
            )
        )
        return len(self._study.get_trials(deepcopy=False)) - 1

    def _close(self, known: Known) -> None:
        shadow = self._shadows[known.number]
        match known.state:
            case "waiting" | "running":
                return
            case "complete":
                self._study.tell(shadow, list(known.values or ()))
            case "pruned":
                if known.stopped is not None:
                    self._storage.set_trial_intermediate_value(self._id(shadow), *known.stopped)
                self._study.tell(shadow, state=TrialState.PRUNED)
            case "fail":
                self._study.tell(shadow, state=TrialState.FAIL)
        self._closed.add(known.number)

    def _id(self, shadow: int) -> int:
        study_id = self._storage.get_study_id_from_name(self._study.study_name)
        return self._storage.get_trial_id_from_study_id_trial_number(study_id, shadow)


def distribution(axis: Axis) -> BaseDistribution:
    """Return Optuna's name for the values of an axis."""
    match axis.kind:
        case "choice":
            return CategoricalDistribution(axis.labels)
        case "int":
            step = int(axis.step or 1)
            low, high = int(axis.low), int(axis.high)
            return IntDistribution(low, high - (high - low) % step, log=axis.log, step=step)
        case "float":
            high = axis.high if axis.step is None else _last_step(axis.low, axis.high, axis.step)
            return FloatDistribution(axis.low, high, log=axis.log, step=axis.step)
        case _:
            assert_never(axis.kind)


def _suggest(trial: optuna.Trial, axis: Axis) -> ParamValue:
    match distribution(axis):
        case CategoricalDistribution(choices=choices):
            return trial.suggest_categorical(axis.name, choices)
        case IntDistribution(low=low, high=high, step=step, log=log):
            return trial.suggest_int(axis.name, low, high, step=step, log=log)
        case FloatDistribution(low=low, high=high, step=step, log=log):
            value = trial.suggest_float(axis.name, low, high, step=step, log=log)
            # Optuna's multiples of a step carry rounding errors, those of a grid do not.
            return value if step is None else min(axis.values() or (), key=_distance(value))
        case other:
            message = f"no such distribution: {other}"
            raise AssertionError(message)


def _distance(value: float) -> Callable[[Any], float]:
    return lambda other: abs(other - value)


def _last_step(low: float, high: float, step: float) -> float:
    """Return the largest value of the grid; Optuna warns about a range that ends beside it."""
    start, end, stride = (Decimal(str(number)) for number in (low, high, step))
    return float(start + (end - start) // stride * stride)
