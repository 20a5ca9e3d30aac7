"""A sequential ablation between its file, its rows and the rule that stops arms."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from nasablate.analysis.judgement import Judgement
from nasablate.analysis.paired import ALPHA
from nasablate.analysis.sequential import (
    ArmState,
    SequentialPlan,
    SequentialState,
    decide,
)
from nasablate.analysis.spending import bounds
from nasablate.analysis.wording import plural
from nasablate.errors import SpecError
from nasablate.genome import AblationSpec

Errors = Mapping[int, float]
"""Error in percent by replicate."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What the looks so far have come to."""

    reference: str
    plan: SequentialPlan
    state: SequentialState

    @property
    def is_over(self) -> bool:
        """Whether no arm is to be trained on."""
        return self.state.next_seeds is None

    @property
    def wanted(self) -> dict[str, int]:
        """Replicates that each arm needs for the look it waits for, or needed for its last."""
        arms = {name: self._needs(arm) for name, arm in self.state.arms.items()}
        return {self.reference: self.plan.baseline_seeds, **arms}

    def _needs(self, arm: ArmState) -> int:
        """An arm that a failure keeps from its next look still lacks the seeds of that look."""
        lacks = arm.verdict == "go_on" or (arm.verdict == "undecided" and not self._was_last(arm))
        return self.plan.looks[arm.look] if lacks else arm.seeds

    def _was_last(self, arm: ArmState) -> bool:
        return arm.look == len(self.plan.looks)

    @property
    def most_trainings(self) -> int:
        """Trainings if no arm stops early."""
        return self.plan.baseline_seeds + len(self.plan.arms) * self.plan.looks[-1]

    def seen(self, name: str, errors: Errors) -> dict[int, float]:
        """Return the errors of an arm that the looks so far have seen."""
        count = self.plan.baseline_seeds if self.state.looks else 0
        if name != self.reference:
            count = self.state.arms[name].seeds
        return {replicate: error for replicate, error in errors.items() if replicate < count}

    def judgement(self, name: str) -> Judgement:
        """Return the verdict on an arm in the form that ablations with fixed seeds have."""
        arm = self.state.arms[name]
        reason = arm.reason
        if arm.verdict == "go_on":
            wanted = self.plan.looks[arm.look]
            reason = f"goes on: {reason}; the next look is at {wanted} seeds"
        return Judgement(
            verdict="undecided" if arm.verdict == "go_on" else arm.verdict,
            n=arm.seeds,
            difference=arm.difference,
            interval=arm.interval,
            p=None,
            holm_p=None,
            smallest_p=None,
            seeds_needed=0,
            reason=reason,
        )

    def text(self) -> str:
        """Return in one line what the last look stopped, and what goes on."""
        number, last = self.state.looks, len(self.plan.looks)
        if number == 0:
            return f"before look 1 of {last}"
        stopped = [
            f"{name} {arm.verdict}"
            for name, arm in self.state.arms.items()
            if arm.look == number and arm.verdict != "go_on"
        ]
        going = len(self.state.open_arms)
        shown = ", ".join(stopped) if stopped else "none"
        seeds = plural(self.plan.looks[number - 1], "seed")
        on = "1 goes on" if going == 1 else f"{going} go on"
        return f"look {number} of {last} at {seeds}: stopped {shown}; {on}"

    def document(self) -> dict[str, Any]:
        """Return looks, bounds and spread as plain JSON data."""
        plan, spread = self.plan, self.state.spread
        return {
            "looks": list(plan.looks),
            "looks_taken": self.state.looks,
            "next_seeds": self.state.next_seeds,
            "baseline_seeds": plan.baseline_seeds,
            "interest": plan.interest,
            "interest_in": plan.interest_in,
            "futility": plan.futility,
            "margin": plan.margin,
            "spending": plan.spending,
            "bounds": list(first_bounds(plan)),
            "spread": None if spread is None else asdict(spread),
            "trainings_at_most": self.most_trainings,
        }


def first_bounds(plan: SequentialPlan) -> tuple[float, ...]:
    """Return the bound of every look for the first arm to be called, in standard errors.

    With every arm that is called, Holm's procedure lowers those of the others.
    """
    return bounds(plan.times, ALPHA / len(plan.arms) / 2, plan.spending)


def plan_looks(spec: AblationSpec, arms: Sequence[str]) -> SequentialPlan:
    """Return the looks that a file asks for.

    Args:
        spec: With ``sequential``.
        arms: Names of all arms but the reference.

    Raises:
        SpecError: the looks cannot decide anything (see ``SequentialPlan``).
    """
    asked = spec.sequential
    assert asked is not None
    try:
        return SequentialPlan(
            looks=asked.looks,
            baseline_seeds=asked.baseline_seeds,
            arms=tuple(arms),
            interest=asked.interest,
            interest_in=asked.interest_in,
            margin=spec.margin,
            spending=asked.spending,
            futility=asked.futility,
        )
    except SpecError as error:
        raise SpecError(
            [
                replace(
                    problem, path=f"sequential.{problem.path}", loc=("sequential", problem.path)
                )
                for problem in error.problems
            ]
        ) from None


def take_looks(
    spec: AblationSpec,
    names: Sequence[str],
    errors: Mapping[str, Errors],
    lost: Mapping[str, Collection[int]],
) -> Looks:
    """Say what every arm has come to, from the rows of a database alone.

    Args:
        spec: With ``sequential``.
        names: Of the arms, the reference first.
        errors: Judged errors by arm.
        lost: By arm, replicates that have failed for good.
    """
    reference, *others = names
    plan = plan_looks(spec, others)
    arms = {name: errors.get(name, {}) for name in others}
    if lost.get(reference):
        return Looks(reference, plan, _without_baseline(plan))
    state = decide(
        plan,
        errors.get(reference, {}),
        arms,
        lost=[name for name in others if lost.get(name)],
    )
    return Looks(reference, plan, state)


def _without_baseline(plan: SequentialPlan) -> SequentialState:
    reason = "a training of the baseline failed for good, so nothing can be compared with it"
    state = ArmState("undecided", 0, 0, None, None, reason)
    return SequentialState(dict.fromkeys(plan.arms, state), 0, None, None)


def most_replicates(spec: AblationSpec, names: Sequence[str]) -> dict[str, int]:
    """Return the replicates of every arm if none stops early.

    Args:
        spec: Of any kind of ablation.
        names: Of the arms, the reference first.
    """
    last = spec.seeds if spec.sequential is None else spec.sequential.looks[-1]
    return {name: spec.seeds if name == names[0] else last for name in names}
