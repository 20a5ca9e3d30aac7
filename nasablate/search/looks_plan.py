"""What a sequential ablation is likely to train, beside what fixed seeds would take."""

from dataclasses import asdict, dataclass
from typing import Any

from nasablate.analysis.expected import Expected, expect
from nasablate.analysis.power import POWER, seeds_for
from nasablate.analysis.sequential import SequentialPlan
from nasablate.genome import AblationSpec
from nasablate.search.arms import Arms
from nasablate.search.looks import first_bounds, plan_looks
from nasablate.search.pilot import Noise


@dataclass(frozen=True, slots=True)
class LooksPlan:
    """The looks of an ablation before it runs."""

    plan: SequentialPlan
    most_trainings: int
    """If no arm stops before the last look."""
    sd: float | None
    """Of one arm over seeds, in percentage points, as the pilot has it; None without one."""
    correlation: float
    """Of two arms on the same seeds; 0 where a pilot's records say only how pairs differ."""
    null: Expected | None
    """If no arm differs from the baseline."""
    of_interest: Expected | None
    """If every arm is worse by the difference of interest; None without one, or a pilot."""
    fixed_seeds: int | None
    """Of every arm, the baseline's too, that find the difference of interest with 80 % power by
    pairs; None if it is not known, or over 1,000."""

    @property
    def fixed_trainings(self) -> int | None:
        """Trainings with these seeds."""
        return None if self.fixed_seeds is None else self.fixed_seeds * (len(self.plan.arms) + 1)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against looks: that fixed seeds take fewer trainings, whatever comes out."""
        expected = [own.trainings for own in (self.null, self.of_interest) if own is not None]
        fixed = self.fixed_trainings
        if fixed is None or not expected or min(expected) <= fixed:
            return ()
        low, high = f"{min(expected):.0f}", f"{max(expected):.0f}"
        span = low if low == high else f"{low} to {high}"
        return (
            f"sequential: {span} trainings are to be expected, {self.plan.baseline_seeds} of them"
            f" of the baseline; fixed seeds with 80 % power take {fixed}: give seeds:"
            f" {self.fixed_seeds} instead",
        )

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        plan = self.plan
        return {
            "looks": list(plan.looks),
            "bounds": list(first_bounds(plan)),
            "baseline_seeds": plan.baseline_seeds,
            "interest": plan.interest,
            "interest_in": plan.interest_in,
            "futility": plan.futility,
            "spending": plan.spending,
            "trainings_at_most": self.most_trainings,
            "sd": self.sd,
            "correlation": self.correlation,
            "expected_without_effects": None if self.null is None else asdict(self.null),
            "expected_with_effects_of_interest": (
                None if self.of_interest is None else asdict(self.of_interest)
            ),
            "fixed_design": {
                "power": POWER,
                "seeds": self.fixed_seeds,
                "trainings": self.fixed_trainings,
            },
        }


def looks_plan(spec: AblationSpec, arms: Arms, noise: Noise | None) -> LooksPlan | None:
    """Return what the looks are likely to take; None for fixed seeds.

    Raises:
        SpecError: the looks cannot be taken.
    """
    if spec.sequential is None:
        return None
    plan = plan_looks(spec, [arm.name for arm in arms.arms[1:]])
    most = plan.baseline_seeds + len(plan.arms) * plan.looks[-1]
    if noise is None:
        return LooksPlan(plan, most, None, 0.0, None, None, None)
    sd, correlation = _spread(spec, noise)
    of_interest, fixed = None, None
    if plan.interest is not None:
        of_interest = expect(plan, plan.interest, sd=sd, correlation=correlation)
        fixed = seeds_for(plan.interest, sd=noise.sd, arms=len(plan.arms))
    null = expect(plan, 0.0, sd=sd, correlation=correlation)
    return LooksPlan(plan, most, sd, correlation, null, of_interest, fixed)


def _spread(spec: AblationSpec, noise: Noise) -> tuple[float, float]:
    """Return the standard deviation of an arm and the correlation of two."""
    pilot = spec.pilot
    if pilot is not None and pilot.sd is not None:
        return pilot.sd, pilot.correlation
    return noise.sd / 2**0.5, 0.0
