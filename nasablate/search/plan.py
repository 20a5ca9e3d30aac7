"""What a search would do, worked out before anything is trained."""

import random
from dataclasses import dataclass
from math import sqrt
from typing import Any

from nasablate.data import DataInfo, load_info
from nasablate.errors import SpecError
from nasablate.genome import SearchSpec
from nasablate.genome.space import Halving
from nasablate.search.space import Candidate, Space, load_space
from nasablate.search.timing import concurrent_trials, duration_text, hours_of, seconds_per_step

_ENUMERATE = 3000
_SAMPLES = 400
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the cells: exact if all were counted, else estimated with its interval."""

    percent: float
    low: float
    high: float
    num_counted: int
    exact: bool

    def text(self) -> str:
        """Return the share for people."""
        if self.exact:
            return f"{self.percent:.1f} % (all {self.num_counted} cells counted)"
        interval = f"95 % interval {self.low:.1f} to {self.high:.1f}"
        return f"{self.percent:.1f} % ({interval}, n = {self.num_counted} drawn cells)"


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """The size of a search space and of the search."""

    name: str
    data: DataInfo
    num_cells: int | None
    legal: Share
    feasible: Share
    num_networks: int
    """Distinct networks and recipes among the feasible cells looked at."""
    params: tuple[int, int]
    macs: tuple[int, int]
    trials: int
    epochs: int
    expected_epochs: float
    """Epochs of a trial on average if each rung lets 1/factor of the trials go on."""
    concurrent: int
    confirm_trials: int
    step_seconds: float | None
    """Measured seconds per training step of the median network, None if not measured."""
    hours: float | None
    warnings: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return {
            "name": self.name,
            "data": {
                "name": self.data.name,
                "fingerprint": self.data.fingerprint,
                "num_train": self.data.num_train,
                "num_val": self.data.num_val,
                "classes": self.data.classes,
            },
            "num_cells": self.num_cells,
            "legal_percent": self.legal.percent,
            "feasible_percent": self.feasible.percent,
            "exact": self.feasible.exact,
            "num_counted": self.feasible.num_counted,
            "num_networks": self.num_networks,
            "params": list(self.params),
            "macs": list(self.macs),
            "trials": self.trials,
            "epochs": self.epochs,
            "expected_epochs": self.expected_epochs,
            "concurrent": self.concurrent,
            "confirm_trials": self.confirm_trials,
            "step_seconds": self.step_seconds,
            "hours": self.hours,
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """Return the plan for people."""
        cells = "infinitely many" if self.num_cells is None else f"{self.num_cells:,}"
        data = self.data
        size = f"{data.channels} x {data.height} x {data.width}"
        seen = "" if self.feasible.exact else f" among {self.feasible.num_counted} drawn cells"
        lines = [
            f"search {self.name}",
            f"  data         {data.name}: {data.num_train:,} training and {data.num_val:,} "
            f"validation images, {size}, {data.classes} classes",
            f"  cells        {cells}",
            f"  legal        {self.legal.text()}",
            f"  in limits    {self.feasible.text()}",
            f"  networks     {self.num_networks:,} distinct{seen}",
            f"  params       {self.params[0]:,} to {self.params[1]:,}",
            f"  macs         {self.macs[0]:,} to {self.macs[1]:,}",
            f"  trials       {self.trials} of up to {self.epochs} epochs "
            f"(about {self.expected_epochs:.1f} each), {self.concurrent} at once",
        ]
        if self.confirm_trials:
            lines.append(f"  confirm      {self.confirm_trials} full trials on fresh seeds")
        if self.hours is not None and self.step_seconds is not None:
            lines.append(
                f"  time         about {duration_text(self.hours)} on this machine "
                f"({self.step_seconds * 1e3:.0f} ms per step of the median network)"
            )
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def plan_search(spec: SearchSpec, *, measure: bool = True) -> SearchPlan:
    """Work out what a search would do.

    Args:
        spec: A search as ``load_search`` returns it.
        measure: Time a few training steps of the median network for the hours (loads torch).

    Raises:
        SpecError: the space has no legal cell or a mistake in its axes.
        DataError: the data set cannot be read.
    """
    info = load_info(spec.data)
    space = load_space(spec, info)
    candidates, num_seen, exact = _look(space)
    feasible = [candidate for candidate in candidates if not candidate.violations]
    networks = {(c.network_digest, c.recipe_digest): c for c in feasible}
    distinct = sorted(networks.values(), key=lambda candidate: candidate.cost.macs)
    median = distinct[len(distinct) // 2] if distinct else candidates[0]
    epochs = max(candidate.recipe.epochs for candidate in candidates)
    expected = _expected_epochs(spec, epochs)
    confirm = spec.confirm.top * spec.confirm.seeds if spec.confirm else 0
    threads = spec.resources.threads_per_trial
    seconds = seconds_per_step(median, info, threads) if measure else None
    concurrent = concurrent_trials(spec.resources)
    trials = min(spec.trials, len(distinct)) if exact else spec.trials
    return SearchPlan(
        name=spec.name,
        data=info,
        num_cells=space.num_cells,
        legal=_share(len(candidates), num_seen, exact=exact),
        feasible=_share(len(feasible), num_seen, exact=exact),
        num_networks=len(distinct),
        params=_span([candidate.cost.params for candidate in feasible or candidates]),
        macs=_span([candidate.cost.macs for candidate in feasible or candidates]),
        trials=spec.trials,
        epochs=epochs,
        expected_epochs=expected,
        concurrent=concurrent,
        confirm_trials=confirm,
        step_seconds=seconds,
        hours=hours_of(seconds, median, info, trials * expected + confirm * epochs, concurrent),
        warnings=tuple(_warnings(spec, space, candidates, distinct, exact=exact)),
    )


def _look(space: Space) -> tuple[list[Candidate], int, bool]:
    """Return the legal candidates among all cells, or among drawn ones if there are many."""
    exact = space.num_cells is not None and space.num_cells <= _ENUMERATE
    rng = random.Random(0)  # noqa: S311 - reproducible draws, no secrets
    cells = space.cells() if exact else (space.random(rng) for _ in range(_SAMPLES))
    found: list[Candidate] = []
    num_seen = 0
    for cell in cells:
        num_seen += 1
        try:
            found.append(space.candidate(cell))
        except SpecError:
            continue
    return found, num_seen, exact


def _share(count: int, total: int, *, exact: bool) -> Share:
    """Return a share in percent; drawn ones with Wilson's interval (1927)."""
    p = count / total
    if exact:
        return Share(100 * p, 100 * p, 100 * p, total, exact=True)
    z2 = _Z95**2
    center = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z95 / (1 + z2 / total) * sqrt(p * (1 - p) / total + z2 / (4 * total**2))
    return Share(100 * p, 100 * (center - half), 100 * (center + half), total, exact=False)


def _span(values: list[int]) -> tuple[int, int]:
    return min(values), max(values)


def _expected_epochs(spec: SearchSpec, epochs: int) -> float:
    if not isinstance(spec.scheduler, Halving):
        return float(epochs)
    total, share, rung, last = 0.0, 1.0, spec.scheduler.min_epochs, 0
    while rung < epochs:
        total += share * (rung - last)
        last, share = rung, share / spec.scheduler.factor
        rung *= spec.scheduler.factor
    return total + share * (epochs - last)


def _warnings(
    spec: SearchSpec,
    space: Space,
    candidates: list[Candidate],
    distinct: list[Candidate],
    *,
    exact: bool,
) -> list[str]:
    found: list[str] = []
    if exact and spec.trials > len(distinct):
        found.append(
            f"trials: {spec.trials} asked, but the space has {len(distinct)} distinct networks "
            "within the limits; the search ends when they are used up"
        )
    for axis in space.axes:
        idle = [c for c in candidates if axis.name in c.assignment and axis.name in c.ignored]
        if idle:
            found.append(
                f"axis {axis.name} changes nothing in {len(idle)} of {len(candidates)} legal "
                "cells; a 'when' keeps it out of them"
            )
    if spec.confirm is None:
        found.append("no confirm: the best trial's error is optimistic and no test error is read")
    return found
