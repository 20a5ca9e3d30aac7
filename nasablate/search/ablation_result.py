"""What an ablation came to, read from the database alone: no torch, no Ray, no data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from nasablate.analysis.paired import (
    Comparison,
    Verdict,
    compare,
    document,
    equivalent,
    holm,
    seeds_needed,
    t_interval,
    verdict,
)
from nasablate.genome import AblationSpec
from nasablate.store import Database, State, StudyStore, TrialRecord

TEST_PURPOSE = "arm of an ablation, at its last epoch"
ARMS = "arms"
"""Attribute of the study: its arms with levels and cost, the reference first."""


@dataclass(frozen=True)
class ArmResult:
    """One arm: its errors by replicate, and how it compares with the reference."""

    name: str
    levels: Mapping[str, str]
    params: int
    macs: int
    errors: Mapping[int, float]
    """Error in percent by replicate; a replicate that failed or is not done is absent."""
    comparison: Comparison | None
    """None for the reference, and while there is no pair."""
    holm_p: float | None
    verdict: Verdict | None
    """None for the reference."""

    @property
    def mean(self) -> float | None:
        """Mean error in percent."""
        return fmean(self.errors.values()) if self.errors else None


@dataclass(frozen=True)
class AblationResult:
    """An ablation as its database has it."""

    name: str
    question: str
    url: str
    part: str
    """``validation`` or ``test``: the images that judge."""
    seeds: int
    arms: tuple[ArmResult, ...]
    """The reference first."""
    counts: Mapping[State, int]
    failures: tuple[str, ...]
    """Arm, replicate and reason of every trial that failed or diverged."""
    broken: tuple[str, ...]
    """Those that failed by the machine or a defect."""
    seeds_needed: int
    """Least number of replicates whose exact test can survive Holm's correction."""
    reported: tuple[Mapping[str, Any], ...]
    interrupted: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every arm has every replicate."""
        return all(len(arm.errors) == self.seeds for arm in self.arms)

    def document(self) -> dict[str, Any]:
        """Return the result as plain JSON data."""
        return {
            "name": self.name,
            "question": self.question,
            "part": self.part,
            "seeds": self.seeds,
            "seeds_needed": self.seeds_needed,
            "complete": self.is_complete,
            "arms": [_arm_document(arm) for arm in self.arms],
            "reported": [dict(item) for item in self.reported],
        }


def _arm_document(arm: ArmResult) -> dict[str, Any]:
    interval = t_interval(list(arm.errors.values())) if len(arm.errors) > 1 else None
    return {
        "name": arm.name,
        "levels": dict(arm.levels),
        "params": arm.params,
        "macs": arm.macs,
        "n": len(arm.errors),
        "mean": arm.mean,
        "interval": None if interval is None else [interval.low, interval.high],
        "errors": {str(replicate): error for replicate, error in sorted(arm.errors.items())},
        "comparison": None if arm.comparison is None else document(arm.comparison),
        "holm_p": arm.holm_p,
        "verdict": arm.verdict,
    }


def load_ablation_result(
    database: Database, spec: AblationSpec, *, interrupted: bool = False
) -> AblationResult:
    """Read what the ablation has come to so far.

    Raises:
        StoreError: the study is not in the database.
    """
    study = database.study(spec.name)
    trials = study.trials()
    known: Sequence[Mapping[str, Any]] = study.attributes()[ARMS]
    errors = _errors(study, trials, spec)
    counts: dict[State, int] = {}
    for trial in trials:
        counts[trial.state] = counts.get(trial.state, 0) + 1
    return AblationResult(
        name=spec.name,
        question=spec.question,
        url=database.url,
        part=spec.evaluate,
        seeds=spec.seeds,
        arms=_judged(known, errors, spec),
        counts=counts,
        failures=tuple(_failure(trial) for trial in trials if trial.state == "fail"),
        broken=tuple(_failure(trial) for trial in trials if trial.has_broken),
        seeds_needed=seeds_needed(max(1, len(known) - 1)),
        reported=tuple(item.document() for item in spec.reported),
        interrupted=interrupted,
    )


def _failure(trial: TrialRecord) -> str:
    arm, replicate = trial.attributes["arm"], trial.attributes["replicate"]
    return f"{arm}, replicate {replicate}: {trial.failure_reason}"


def _errors(
    study: StudyStore, trials: Sequence[TrialRecord], spec: AblationSpec
) -> dict[str, dict[int, float]]:
    """Return the judged errors by arm and replicate."""
    found: dict[str, dict[int, float]] = {}
    test = {
        reading.number: reading.error
        for reading in study.test_readings()
        if reading.purpose == TEST_PURPOSE
    }
    curves = study.curves()
    for trial in trials:
        replicate = int(trial.attributes["replicate"])
        if trial.state != "complete" or replicate >= spec.seeds:
            continue
        if spec.evaluate == "validation":
            error = curves[trial.number][-1].val_error
        elif trial.number in test:
            error = test[trial.number]
        else:
            continue
        found.setdefault(str(trial.attributes["arm"]), {})[replicate] = error
    return found


def _judged(
    known: Sequence[Mapping[str, Any]],
    errors: Mapping[str, Mapping[int, float]],
    spec: AblationSpec,
) -> tuple[ArmResult, ...]:
    reference = errors.get(str(known[0]["name"]), {})
    pairs: dict[str, tuple[list[float], list[float]]] = {}
    comparisons: dict[str, Comparison] = {}
    for item in known[1:]:
        own = errors.get(str(item["name"]), {})
        shared = sorted(reference.keys() & own.keys())
        if shared:
            pair = [reference[r] for r in shared], [own[r] for r in shared]
            pairs[str(item["name"])] = pair
            comparisons[str(item["name"])] = compare(*pair)
    adjusted = holm({name: c.p for name, c in comparisons.items() if c.p is not None})
    results: list[ArmResult] = []
    for index, item in enumerate(known):
        name = str(item["name"])
        comparison = comparisons.get(name)
        judged: Verdict | None = None if index == 0 else "undecided"
        if comparison is not None:
            one, other = pairs[name]
            differences = [b - a for a, b in zip(one, other, strict=True)]
            judged = verdict(
                comparison,
                adjusted.get(name),
                is_equivalent=spec.margin is not None and equivalent(differences, spec.margin),
                # Holm needs all arms: with one missing the others' p would change.
                complete=len(pairs) == len(known) - 1 and comparison.n == spec.seeds,
            )
        results.append(
            ArmResult(
                name=name,
                levels=dict(item["levels"]),
                params=int(item["params"]),
                macs=int(item["macs"]),
                errors=dict(errors.get(name, {})),
                comparison=comparison,
                holm_p=adjusted.get(name),
                verdict=judged,
            )
        )
    return tuple(results)
