"""What a search would do, worked out before anything is trained."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from nasablate.data import DataInfo, info_to_plan
from nasablate.data.loading import TEST_PARTS
from nasablate.errors import SpecError
from nasablate.genome import SearchSpec
from nasablate.genome.space import Halving
from nasablate.search.axis import Assignment
from nasablate.search.counting import OnCount, count_valid, ignore_count
from nasablate.search.space import Candidate, Space, drawn_by_axis, load_space
from nasablate.search.timing import (
    concurrent_trials,
    duration_text,
    hours_of,
    seconds_per_step,
    untimed_text,
)
from nasablate.search.valid_cells import Tally, ValidCells, tallied

_ENUMERATE = 3000
_SAMPLES = 400


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """The size of a search space and of the search."""

    name: str
    data: DataInfo
    cells: ValidCells
    num_networks: int
    """Distinct networks and recipes among the valid cells looked at."""
    num_looked_at: int
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
    missing: str = ""
    """Why the data set was not looked at, so that its published counts stand for it."""

    def document(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return {
            "name": self.name,
            "data": {
                "name": self.data.name,
                "fingerprint": self.data.fingerprint or None,
                "missing": self.missing or None,
                "num_train": self.data.num_train,
                "num_val": self.data.num_val,
                "classes": self.data.classes,
            },
            **self.cells.document(),
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
        data = self.data
        size = f"{data.channels} x {data.height} x {data.width}"
        exact = self.num_looked_at == self.cells.num_cells
        seen = "" if exact else f" among {self.num_looked_at:,} drawn cells"
        lines = [
            f"search {self.name}",
            f"  data         {data.name}: {data.num_train:,} training and {data.num_val:,} "
            f"validation images, {size}, {data.classes} classes",
            *self.cells.lines(),
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
        if self.missing:
            lines.append(f"  time         {untimed_text(self.missing)}")
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)


def plan_search(
    spec: SearchSpec,
    *,
    measure: bool = True,
    exact: bool = False,
    processes: int = 1,
    on_count: OnCount = ignore_count,
) -> SearchPlan:
    """Work out what a search would do.

    Args:
        spec: A search as ``load_search`` returns it.
        measure: Time a few training steps of the median network for the hours (loads torch), if
            the data set is here.
        exact: Count the valid cells however long it takes; see `count_valid`.
        processes: Processes that share a long count; more than one needs a main module that
            may be imported.
        on_count: Told how far a long count is.

    Raises:
        SpecError: the space has no legal cell or a mistake in its axes, or an exact count of
            infinitely many cells is asked for.
        DataError: the data set cannot be read, or is missing and not known.
    """
    info, missing = info_to_plan(spec.data)
    space = load_space(spec, info)
    candidates, num_seen = _look(space)
    valid = [candidate for candidate in candidates if not candidate.violations]
    exhaustive = num_seen == space.num_cells
    if exhaustive:
        cells = tallied(Tally(num_seen, len(candidates), len(valid)), num_seen, exact=True)
    else:
        cells = count_valid(space, exact=exact, processes=processes, on_count=on_count)
    networks = {(c.network_digest, c.recipe_digest): c for c in valid}
    distinct = sorted(networks.values(), key=lambda candidate: candidate.cost.macs)
    median = distinct[len(distinct) // 2] if distinct else candidates[0]
    epochs = max(candidate.recipe.epochs for candidate in candidates)
    expected = _expected_epochs(spec, epochs)
    confirm = spec.confirm.top * spec.confirm.seeds if spec.confirm else 0
    threads = spec.resources.threads_per_trial
    seconds = seconds_per_step(median, info, threads) if measure and not missing else None
    concurrent = concurrent_trials(spec.resources)
    trials = min(spec.trials, len(distinct)) if exhaustive else spec.trials
    return SearchPlan(
        name=spec.name,
        data=info,
        cells=cells,
        num_networks=len(distinct),
        num_looked_at=num_seen,
        params=_span([candidate.cost.params for candidate in valid or candidates]),
        macs=_span([candidate.cost.macs for candidate in valid or candidates]),
        trials=spec.trials,
        epochs=epochs,
        expected_epochs=expected,
        concurrent=concurrent,
        confirm_trials=confirm,
        step_seconds=seconds,
        hours=hours_of(seconds, median, info, trials * expected + confirm * epochs, concurrent),
        warnings=(
            *_warnings(spec, space, candidates, distinct, exact=exhaustive),
            *_optimism(spec, info),
        ),
        missing=missing,
    )


def _look(space: Space) -> tuple[list[Candidate], int]:
    """Return the legal ones of all cells, or of drawn ones if there are many, and of how many.

    If no drawn cell is legal, those that the space was checked by are added: some of them are.
    """
    rng = Random(0)  # noqa: S311 - reproducible draws, no secrets
    is_small = space.num_cells is not None and space.num_cells <= _ENUMERATE
    cells = list(space.cells() if is_small else (space.uniform(rng) for _ in range(_SAMPLES)))
    found = _legal(space, cells)
    if not found:
        more = list(drawn_by_axis(space))
        return _legal(space, more), len(cells) + len(more)
    return found, len(cells)


def _legal(space: Space, cells: Iterable[Assignment]) -> list[Candidate]:
    found: list[Candidate] = []
    for cell in cells:
        try:
            found.append(space.candidate(cell))
        except SpecError:
            continue
    return found


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
    return found


def _optimism(spec: SearchSpec, info: DataInfo) -> Iterator[str]:
    """Yield why no test error will stand at the end."""
    if spec.confirm is None:
        yield "no confirm: the best trial's error is optimistic and no test error is read"
    elif not info.num_test:
        yield (
            f"{info.name} has no test part: the winner is confirmed on fresh seeds, but no test"
            f" error will be read; add one ({TEST_PARTS})"
        )
