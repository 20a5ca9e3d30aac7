"""Everything the report of a search shows, read from the database alone."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nasablate.figures.completed import Completed, completed_trials
from nasablate.figures.numerals import number
from nasablate.figures.trials import TrialsChart, trials_data
from nasablate.genome import SearchSpec
from nasablate.report.environment import Environment, environment_of
from nasablate.search.ensemble_result import EnsembleResult, kept_ensembles
from nasablate.search.result import CandidateResult, Interval, SearchResult, load_result
from nasablate.search.spec_guard import stored_spec
from nasablate.store import Database, Epoch, TrialRecord


@dataclass(frozen=True)
class SearchReport:
    """A search with all that is told of it."""

    result: SearchResult
    spec: SearchSpec
    attributes: Mapping[str, Any]
    """Of the study."""
    epochs: Mapping[int, tuple[Epoch, ...]]
    """By trial number."""

    @property
    def is_finished(self) -> bool:
        """Whether all trials and their confirmation are done."""
        if not self._has_tried_all or not all(trial.is_finished for trial in self.result.trials):
            return False
        if self.spec.confirm is None or self.result.best is None:
            return True
        confirmed = self.result.confirmation
        return bool(confirmed) and all(candidate.is_finished for candidate in confirmed)

    @property
    def _has_tried_all(self) -> bool:
        return len(self.result.trials) >= self.spec.trials or "exhausted" in self.attributes

    @cached_property
    def environment(self) -> Environment:
        """What the trials ran on."""
        return environment_of(self.result.trials)

    @cached_property
    def chart(self) -> TrialsChart:
        """Errors by number and by size."""
        return trials_data(self.result, self.epochs)

    @cached_property
    def ensembles(self) -> EnsembleResult | None:
        """Those last made of its networks."""
        return kept_ensembles(self.attributes)

    @cached_property
    def completed(self) -> tuple[Completed, ...]:
        """Trials with a result, as figures need them."""
        return completed_trials(self.result, self.epochs)

    def document(self) -> dict[str, Any]:
        """Return the whole report as plain JSON data."""
        result = self.result
        return {
            "kind": "search",
            "name": result.name,
            "question": self.spec.question,
            "finished": self.is_finished,
            "states": dict(result.counts),
            "objectives": dict(result.objectives),
            "best": None if result.best is None else result.best.number,
            "pareto": [trial.number for trial in result.pareto],
            **result.confirmed(),
            "notes": list(result.notes),
            "trials": [trial_document(trial, self) for trial in result.trials],
            "environment": [fact.document() for fact in self.environment.facts],
            "spec": self.spec.document(),
            "figures": {"trials": self.chart.document()},
        }


def load_search_report(database: Database, name: str) -> SearchReport:
    """Read the report of a search, whether it is finished or not.

    Raises:
        StoreError: there is no search of that name, or it cannot be read.
        SpecError: another version wrote its file.
    """
    study = database.study(name)
    spec = SearchSpec.parse(json.loads(stored_spec(study, "search")))
    result = load_result(database, spec)
    return SearchReport(result, spec, study.attributes(), study.curves())


def trial_document(trial: TrialRecord, report: SearchReport) -> dict[str, Any]:
    """Return a trial as plain JSON data."""
    curve = report.epochs.get(trial.number, ())
    values = trial.values if trial.state == "complete" else None
    objectives = report.result.objectives
    shown = values or (None,) * len(objectives)
    return {
        "number": trial.number,
        "state": trial.state,
        "axes": dict(trial.params),
        "objectives": dict(zip(objectives, shown, strict=True)),
        "val_error": curve[-1].val_error if curve else None,
        "epochs": len(curve),
        "params": trial.attributes.get("params"),
        "macs": trial.attributes.get("macs"),
        "seed": trial.attributes.get("seed"),
        "failure_reason": trial.failure_reason,
    }


def axes_text(trial: TrialRecord) -> str:
    """Return what a trial tries, in a line."""
    return ", ".join(f"{name}={value}" for name, value in trial.params.items())


def answer_sentences(report: SearchReport) -> Iterator[str]:
    """Yield what the search came to, the answer first."""
    result = report.result
    if result.winner is not None and result.winner.val_error is not None:
        yield _winner(result, result.winner, result.winner.val_error)
    elif result.best is None:
        yield "No trial has finished yet." if not report.is_finished else "No trial gave a result."
    else:
        metric, values = next(iter(result.objectives)), result.best.values
        assert values is not None
        found = f"trial {result.best.number} ({axes_text(result.best)})"
        yield (
            f"The best so far is {found} with {metric} {number(values[0])}; that is optimistic,"
            " since it was chosen by this number and not confirmed on fresh seeds."
        )
    if len(result.objectives) > 1:
        yield f"{len(result.pareto)} trials are not beaten by any other in every objective."
    yield from (f"{note[0].upper()}{note[1:]}." for note in result.notes)


def _winner(result: SearchResult, winner: CandidateResult, error: Interval) -> str:
    found = f"Trial {winner.trial.number} ({axes_text(winner.trial)}) wins"
    text = f"{found}: {interval_text(error)} validation error over {error.n} fresh seeds"
    if result.test_error is None:
        return f"{text}; its test error has not been read."
    images = result.test_readings[0].num_images
    return (
        f"{text}, and {interval_text(result.test_error)} test error ({result.test_error.n}"
        f" networks, {images:,} images each, read once)."
    )


def interval_text(interval: Interval) -> str:
    """Return a mean with its interval."""
    if interval.n < 2:
        return f"{number(interval.mean)} %"
    ends = f"{number(interval.low)} to {number(interval.high)}"
    return f"{number(interval.mean)} % (95 % interval {ends})"
