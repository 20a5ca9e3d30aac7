"""What a search came to, read from the database alone: no torch, no Ray, no data."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nasablate.genome import SearchSpec
from nasablate.genome.space import Direction
from nasablate.search.confirmation import (
    TEST_PURPOSE,
    candidates,
    confirm_name,
    objectives_of,
)
from nasablate.store import Database, State, TestReading, TrialRecord

CONFIRMED = "confirmed"
"""Attribute of a search's study with what its confirmation came to."""
UNTESTED = "untested"
"""Attribute of a search's study: whether its data had no test part when it was last run."""
_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over fresh seeds with its 95 % t interval, in percent."""

    mean: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float], stored: object = None) -> "Interval":
        """Return mean and Student's t interval; infinitely wide for a single value.

        ``stored`` is the document of an interval that may be of the same values; it saves
        loading scipy where a finished search is only shown again.
        """
        mean = statistics.fmean(values)
        if len(values) < 2:
            return cls(mean, -math.inf, math.inf, len(values))
        known = cast("dict[str, Any]", stored or {})
        if (known.get("n"), known.get("mean")) == (len(values), mean):
            return cls(mean, known["low"], known["high"], len(values))
        from nasablate.analysis.paired import error_interval

        found = error_interval(values, _LEVEL)
        return cls(mean, found.low, found.high, len(values))

    def document(self) -> dict[str, Any]:
        """Return the interval as JSON data; an end that does not exist is null."""
        ends = [end if math.isfinite(end) else None for end in (self.low, self.high)]
        return {"mean": self.mean, "low": ends[0], "high": ends[1], "n": self.n}


@dataclass(frozen=True)
class CandidateResult:
    """One of the best few of a search, trained again on fresh seeds."""

    trial: TrialRecord
    """Its trial in the search."""
    replicates: tuple[TrialRecord, ...]
    """Its trials on fresh seeds, finished or not."""
    wanted: int
    """Fresh seeds asked for."""
    val_error: Interval | None
    """Over the fresh seeds alone, since the search chose by its own."""

    @property
    def is_complete(self) -> bool:
        """Whether every fresh seed gave a result; a candidate with a gap cannot win."""
        return self.val_error is not None and self.val_error.n == self.wanted

    @property
    def is_finished(self) -> bool:
        """Whether every fresh seed was tried."""
        done = [trial for trial in self.replicates if trial.is_finished]
        return len(done) == self.wanted


@dataclass(frozen=True)
class SearchResult:
    """A search as its database has it."""

    name: str
    url: str
    objectives: Mapping[str, Direction]
    counts: Mapping[State, int]
    trials: tuple[TrialRecord, ...]
    best: TrialRecord | None
    """The best complete trial by the first objective; ties go to the earlier one."""
    pareto: tuple[TrialRecord, ...]
    """Complete trials that no other one beats in every objective; one objective: the best."""
    confirmation: tuple[CandidateResult, ...]
    winner: CandidateResult | None
    """Lowest mean validation error over the fresh seeds."""
    test_readings: tuple[TestReading, ...]
    """Of the winner's networks."""
    test_error: Interval | None
    notes: tuple[str, ...] = ()
    interrupted: bool = False

    def confirmed(self) -> dict[str, Any]:
        """Return what was confirmed, as the study keeps it for all who open the database."""
        return {
            "candidates": {
                str(candidate.trial.number): candidate.val_error.document()
                for candidate in self.confirmation
                if candidate.val_error is not None
            },
            "winner": None if self.winner is None else self.winner.trial.number,
            "test_error": None if self.test_error is None else self.test_error.document(),
        }

    @property
    def broken(self) -> tuple[TrialRecord, ...]:
        """Trials that failed by the machine or a defect, in the search and its confirmation."""
        fresh = (trial for candidate in self.confirmation for trial in candidate.replicates)
        return tuple(trial for trial in (*self.trials, *fresh) if trial.has_broken)

    @property
    def failed(self) -> bool:
        """Whether there is no result at all though nobody interrupted."""
        return self.best is None and not self.interrupted


def load_result(database: Database, spec: SearchSpec, *, interrupted: bool = False) -> SearchResult:
    """Read what the search has come to so far."""
    study = database.study(spec.name)
    trials = tuple(study.trials())
    attributes = study.attributes()
    objectives = objectives_of(spec)
    stored: dict[str, Any] = attributes.get(CONFIRMED, {})
    confirmation = _confirmation(database, spec, trials, stored)
    winner = winner_of(confirmation)
    readings = _readings(database, spec, winner)
    counts: dict[State, int] = dict.fromkeys(
        ("complete", "pruned", "fail", "running", "waiting"), 0
    )
    for trial in trials:
        counts[trial.state] += 1
    ranked = candidates(trials, objectives, len(trials))
    return SearchResult(
        name=spec.name,
        url=database.url,
        objectives=objectives,
        counts=counts,
        trials=trials,
        best=ranked[0] if ranked else None,
        pareto=pareto(trials, objectives),
        confirmation=confirmation,
        winner=winner,
        test_readings=readings,
        test_error=_test_error(readings, stored),
        notes=tuple(_notes(spec, attributes, confirmation, tested=bool(readings))),
        interrupted=interrupted,
    )


def winner_of(confirmation: Sequence[CandidateResult]) -> CandidateResult | None:
    """Return the candidate with the lowest mean error, once all have been tried."""
    if not confirmation or not all(candidate.is_finished for candidate in confirmation):
        return None
    complete = [candidate for candidate in confirmation if candidate.is_complete]
    return min(complete, key=_mean_error, default=None)


def pareto(
    trials: Sequence[TrialRecord], objectives: Mapping[str, Direction]
) -> tuple[TrialRecord, ...]:
    """Return the complete trials that no other trial dominates, by number."""
    signs = [1 if direction == "minimize" else -1 for direction in objectives.values()]
    costs = {
        trial.number: tuple(sign * value for sign, value in zip(signs, trial.values, strict=True))
        for trial in trials
        if trial.state == "complete" and trial.values is not None
    }
    front: dict[int, tuple[float, ...]] = {}
    # In this order whatever beats a trial stands before it, and if it is off the front itself,
    # so does what beats both.
    for number, own in sorted(costs.items(), key=lambda pair: (pair[1], pair[0])):
        if not any(_dominates(other, own) for other in front.values()):
            front[number] = own
    found = tuple(trial for trial in trials if trial.number in front)
    return found[:1] if len(signs) == 1 else found


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _mean_error(candidate: CandidateResult) -> tuple[float, int]:
    assert candidate.val_error is not None
    return candidate.val_error.mean, candidate.trial.number


def _confirmation(
    database: Database,
    spec: SearchSpec,
    trials: Sequence[TrialRecord],
    stored: Mapping[str, Any],
) -> tuple[CandidateResult, ...]:
    study = database.find(confirm_name(spec)) if spec.confirm is not None else None
    if spec.confirm is None or study is None:
        return ()
    replicates = study.trials()
    curves = study.curves()
    results: list[CandidateResult] = []
    for trial in candidates(trials, objectives_of(spec), spec.confirm.top):
        own = tuple(
            replicate
            for replicate in replicates
            if replicate.attributes["candidate"] == trial.number
            and replicate.attributes["replicate"] < spec.confirm.seeds
        )
        errors = [
            curves[replicate.number][-1].val_error
            for replicate in own
            if replicate.state == "complete"
        ]
        known = stored.get("candidates", {}).get(str(trial.number))
        interval = Interval.of(errors, known) if errors else None
        results.append(CandidateResult(trial, own, spec.confirm.seeds, interval))
    return tuple(results)


def _test_error(readings: Sequence[TestReading], stored: Mapping[str, Any]) -> Interval | None:
    if not readings:
        return None
    return Interval.of([reading.error for reading in readings], stored.get("test_error"))


def _readings(
    database: Database, spec: SearchSpec, winner: CandidateResult | None
) -> tuple[TestReading, ...]:
    if winner is None:
        return ()
    numbers = {replicate.number for replicate in winner.replicates}
    found = database.study(confirm_name(spec)).test_readings()
    return tuple(
        reading
        for reading in found
        if reading.number in numbers and reading.purpose == TEST_PURPOSE
    )


def _notes(
    spec: SearchSpec,
    attributes: Mapping[str, Any],
    confirmation: Sequence[CandidateResult],
    *,
    tested: bool,
) -> list[str]:
    notes: list[str] = []
    if "exhausted" in attributes:
        notes.append(str(attributes["exhausted"]))
    if spec.confirm is None:
        notes.append(
            "no confirmation was asked for (confirm: {top: 3, seeds: 5}), so the best error is"
            " optimistic and no test error was read"
        )
    elif attributes.get(UNTESTED) and not tested:
        notes.append(
            f"the winner's test error cannot be read: {spec.data.name} has no test part; add one,"
            " and the same command reads it"
        )
    gaps = [c.trial.name for c in confirmation if c.is_finished and not c.is_complete]
    if gaps:
        notes.append(f"failed on a fresh seed and cannot win: {', '.join(gaps)}")
    return notes
