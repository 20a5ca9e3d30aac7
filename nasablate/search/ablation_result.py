"""What an ablation came to, read from the database alone: no torch, no Ray, no data."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from nasablate.analysis.bootstrap import RESAMPLES, bootstrap_interval
from nasablate.analysis.fractional import Fraction
from nasablate.analysis.judgement import Judgement, Outcome, judge_arms
from nasablate.analysis.paired import (
    Comparison,
    Interval,
    compare,
    document,
    error_interval,
    seeds_needed,
)
from nasablate.genome import AblationSpec, Recipe
from nasablate.search.ablation_images import ArmImages, compare_images
from nasablate.search.ablation_tables import (
    CellErrors,
    EffectTable,
    Step,
    effect_tables,
    fraction_document,
    path_table,
)
from nasablate.search.beside import Beside, Measured, set_beside
from nasablate.search.designs import fraction_of
from nasablate.search.looks import Looks, take_looks
from nasablate.store import Database, State, StudyStore, TrialRecord

TEST_PURPOSE = "arm of an ablation, at its last epoch"
ARMS = "arms"
"""Attribute of the study: its arms as ``confounds.arm_documents`` has them, the reference first."""
LEVELS = "levels"
"""Attribute of the study: what ``confounds.level_differences`` says, by ``factor=level``."""
DATA = "data"
"""Attribute of the study: how many images each part has."""


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
    """None for the reference, while there is no pair, and in sequential ablations, where an
    interval for a fixed number of seeds would not hold."""
    judgement: Judgement | None
    """None for the reference."""
    bootstrap: Interval | None = None
    """Bootstrap interval of the difference, which does not decide; None where ``comparison`` is,
    and below two pairs."""
    cell: str = ""
    """The arm it is the matched twin of, else empty."""
    matching: Mapping[str, Any] | None = None
    """How its cost was matched; None for the reference, and without ``match``."""
    differs: Mapping[str, Any] | None = None
    """In what it differs from the reference; None for the reference, and in old studies."""
    wanted: int | None = None
    """In sequential ablations, replicates asked for so far; else None, all have the same."""
    look: int | None = None
    """In sequential ablations, the last look at the arm; None for the reference."""

    @property
    def mean(self) -> float | None:
        """Mean error in percent."""
        return fmean(self.errors.values()) if self.errors else None

    @property
    def mean_interval(self) -> Interval | None:
        """95 % t interval of the mean; None where the seeds depend on what came out."""
        if len(self.errors) < 2 or self.look is not None:
            return None
        return error_interval(list(self.errors.values()))

    @property
    def verdict(self) -> Outcome | None:
        """The verdict; None for the reference."""
        return None if self.judgement is None else self.judgement.verdict

    @property
    def rule(self) -> str | None:
        """By what the verdict was reached; None for the reference."""
        if self.judgement is None:
            return None
        return "paired" if self.look is None else "sequential"

    def document(self) -> dict[str, Any]:
        """Return the arm as plain JSON data."""
        interval, judged = self.mean_interval, self.judgement
        return {
            "name": self.name,
            "levels": dict(self.levels),
            "params": self.params,
            "macs": self.macs,
            "matched_twin_of": self.cell or None,
            "matching": self.matching,
            "differs": self.differs,
            "n": len(self.errors),
            "mean": self.mean,
            "interval": None if interval is None else [interval.low, interval.high],
            "errors": {str(replicate): error for replicate, error in sorted(self.errors.items())},
            "comparison": None if self.comparison is None else document(self.comparison),
            "bootstrap": self._bootstrap_document(),
            "holm_p": None if judged is None else judged.holm_p,
            "rule": self.rule,
            "sequential": self._at_its_look(),
            "verdict": self.verdict,
            "reason": None if judged is None else judged.reason,
        }

    def _bootstrap_document(self) -> dict[str, Any] | None:
        found = self.bootstrap
        if found is None:
            return None
        return {
            "kind": "expanded percentile of the mean paired difference",
            "interval": [found.low, found.high],
            "resamples": RESAMPLES,
            "decides": False,
        }

    def _at_its_look(self) -> dict[str, Any] | None:
        judged = self.judgement
        if self.look is None or judged is None:
            return None
        ends = judged.interval
        return {
            "look": self.look,
            "n": judged.n,
            "difference": judged.difference,
            "interval": None if ends is None else [ends.low, ends.high],
            "wanted": self.wanted,
        }


@dataclass(frozen=True)
class AblationResult:
    """An ablation as its database has it."""

    name: str
    question: str
    design: str
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
    """Least number of replicates whose exact test can survive Holm's correction; 0 for
    sequential ablations, which need none."""
    levels: Mapping[str, Mapping[str, Any]]
    """For designs that combine levels: in what each alone differs from the baseline."""
    fraction: Fraction | None
    """For fractional designs: what they mix."""
    effects: tuple[EffectTable, ...]
    """For factorial and fractional designs."""
    steps: tuple[Step, ...]
    """For paths."""
    images: tuple[ArmImages, ...]
    """Arms with predictions, image by image and in measures that do not decide."""
    reported: tuple[Beside, ...]
    interrupted: bool = False
    looks: Looks | None = None
    """For sequential ablations: looks taken, and what they came to."""

    @property
    def is_complete(self) -> bool:
        """Whether every arm has every replicate, and none is to be trained on."""
        if self.looks is not None and not self.looks.is_over:
            return False
        return all(len(arm.errors) == self.wanted(arm) for arm in self.arms)

    def wanted(self, arm: ArmResult) -> int:
        """Return the replicates that an arm shall have, as far as that is known."""
        return self.seeds if arm.wanted is None else arm.wanted

    def document(self) -> dict[str, Any]:
        """Return the result as plain JSON data."""
        return {
            "name": self.name,
            "question": self.question,
            "design": self.design,
            "part": self.part,
            "seeds": self.seeds,
            "seeds_needed": self.seeds_needed,
            "sequential": None if self.looks is None else self.looks.document(),
            "complete": self.is_complete,
            "arms": [arm.document() for arm in self.arms],
            "levels": dict(self.levels),
            "fraction": None if self.fraction is None else fraction_document(self.fraction),
            "effects": [table.document() for table in self.effects],
            "steps": [step.document() for step in self.steps],
            "images": [found.document() for found in self.images],
            "reported": [row.document() for row in self.reported],
            "failures": list(self.failures),
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
    attributes = study.attributes()
    errors = judged_errors(study, trials, spec)
    looks = looks_of(study, trials, spec)
    if looks is None:
        arms = _judged(attributes[ARMS], errors, spec)
    else:
        arms = _looked_at(attributes[ARMS], errors, spec, looks)
    cells = [CellErrors(arm.name, dict(arm.levels), arm.cell, arm.errors) for arm in arms]
    counts: dict[State, int] = {}
    for trial in trials:
        counts[trial.state] = counts.get(trial.state, 0) + 1
    return AblationResult(
        name=spec.name,
        question=spec.question,
        design=spec.design,
        url=database.url,
        part=spec.evaluate,
        seeds=spec.seeds,
        arms=arms,
        counts=counts,
        failures=tuple(_failure(trial) for trial in trials if trial.state == "fail"),
        broken=tuple(_failure(trial) for trial in trials if trial.has_broken),
        seeds_needed=seeds_needed(max(1, len(arms) - 1)) if looks is None else 0,
        levels=attributes.get(LEVELS, {}),
        fraction=fraction_of(spec) if spec.design == "fractional" else None,
        effects=effect_tables(spec, cells),
        steps=path_table(spec, cells),
        images=compare_images(study, shown_trials(trials, arms), spec),
        reported=set_beside(spec, _measured(arms, trials), _num_train(attributes)),
        interrupted=interrupted,
        looks=looks,
    )


def looks_of(study: StudyStore, trials: Sequence[TrialRecord], spec: AblationSpec) -> Looks | None:
    """Return what the looks of a sequential ablation come to; None for others."""
    if spec.sequential is None:
        return None
    names = [str(item["name"]) for item in study.attributes()[ARMS]]
    errors = judged_errors(study, trials, spec)
    lost: dict[str, list[int]] = {}
    for trial in trials:
        if trial.state == "fail":
            name = str(trial.attributes["arm"])
            lost.setdefault(name, []).append(int(trial.attributes["replicate"]))
    return take_looks(spec, names, errors, lost)


def shown_trials(trials: Sequence[TrialRecord], arms: Sequence[ArmResult]) -> list[TrialRecord]:
    """Return the trials whose errors are shown."""
    shown = {(arm.name, replicate) for arm in arms for replicate in arm.errors}
    return [t for t in trials if (t.attributes["arm"], t.attributes["replicate"]) in shown]


def _failure(trial: TrialRecord) -> str:
    arm, replicate = trial.attributes["arm"], trial.attributes["replicate"]
    return f"{arm}, replicate {replicate}: {trial.failure_reason}"


def _num_train(attributes: Mapping[str, Any]) -> int | None:
    return attributes.get(DATA, {}).get("num_train")


def _measured(arms: Sequence[ArmResult], trials: Sequence[TrialRecord]) -> list[Measured]:
    recipes: dict[str, Recipe] = {}
    for trial in trials:
        name = str(trial.attributes["arm"])
        if name not in recipes and "recipe" in trial.attributes:
            recipes[name] = Recipe.parse(json.loads(trial.attributes["recipe"]))
    return [
        Measured(arm.name, dict(arm.levels), tuple(arm.errors.values()), recipes.get(arm.name))
        for arm in arms
    ]


def judged_errors(
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
        if math.isfinite(error):
            found.setdefault(str(trial.attributes["arm"]), {})[replicate] = error
    return found


def _judged(
    known: Sequence[Mapping[str, Any]],
    errors: Mapping[str, Mapping[int, float]],
    spec: AblationSpec,
) -> tuple[ArmResult, ...]:
    names = [str(item["name"]) for item in known]
    own = {name: dict(sorted(errors.get(name, {}).items())) for name in names}
    reference = own[names[0]]
    judged: dict[str, Judgement] = {}
    if len(names) > 1:
        others = {name: own[name] for name in names[1:]}
        judged = judge_arms(reference, others, seeds=spec.seeds, margin=spec.margin)
    return tuple(
        replace(
            _arm(item, own[name]),
            comparison=_compared(reference, own[name]) if name in judged else None,
            judgement=judged.get(name),
            bootstrap=_bootstrapped(reference, own[name]) if name in judged else None,
        )
        for name, item in zip(names, known, strict=True)
    )


def _looked_at(
    known: Sequence[Mapping[str, Any]],
    errors: Mapping[str, Mapping[int, float]],
    spec: AblationSpec,
    looks: Looks,
) -> tuple[ArmResult, ...]:
    """Return the arms of a sequential ablation; test errors are shown once a look has seen them."""
    wanted = looks.wanted
    arms: list[ArmResult] = []
    for item in known:
        name = str(item["name"])
        own = dict(sorted(errors.get(name, {}).items()))
        if spec.evaluate == "test":
            own = looks.seen(name, own)
        arm = replace(_arm(item, own), wanted=wanted[name])
        if name != looks.reference:
            look = looks.state.arms[name].look
            arm = replace(arm, judgement=looks.judgement(name), look=look)
        arms.append(arm)
    return tuple(arms)


def _arm(item: Mapping[str, Any], errors: Mapping[int, float]) -> ArmResult:
    return ArmResult(
        name=str(item["name"]),
        levels=dict(item["levels"]),
        params=int(item["params"]),
        macs=int(item["macs"]),
        errors=errors,
        comparison=None,
        judgement=None,
        cell=str(item.get("cell", "")),
        matching=item.get("matching"),
        differs=item.get("differs"),
    )


def _compared(reference: Mapping[int, float], own: Mapping[int, float]) -> Comparison | None:
    shared = sorted(reference.keys() & own.keys())
    return compare([reference[r] for r in shared], [own[r] for r in shared]) if shared else None


def _bootstrapped(reference: Mapping[int, float], own: Mapping[int, float]) -> Interval | None:
    shared = sorted(reference.keys() & own.keys())
    return bootstrap_interval([own[r] - reference[r] for r in shared]) if len(shared) > 1 else None
