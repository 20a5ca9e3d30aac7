"""What an ablation would train, worked out before anything is trained."""

from dataclasses import dataclass
from typing import Any

from nasablate.analysis.paired import seeds_needed, smallest_p
from nasablate.data import DataInfo, load_info
from nasablate.genome import AblationSpec
from nasablate.search.arms import Arms, resolve_arms
from nasablate.search.timing import concurrent_trials, duration_text, hours_of, seconds_per_step


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """The arms of an ablation and what they take."""

    spec: AblationSpec
    data: DataInfo
    arms: Arms
    seeds_needed: int
    step_seconds: float | None
    """Measured seconds per training step of the reference, None if not measured."""
    hours: float | None
    warnings: tuple[str, ...]

    @property
    def num_trials(self) -> int:
        """Trainings in all."""
        return len(self.arms.arms) * self.spec.seeds

    def document(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return {
            "name": self.spec.name,
            "design": self.spec.design,
            "data": {"name": self.data.name, "fingerprint": self.data.fingerprint},
            "arms": [
                {
                    "name": arm.name,
                    "levels": arm.levels,
                    "params": arm.variant.cost.params,
                    "macs": arm.variant.cost.macs,
                    "digest": arm.variant.network_digest,
                }
                for arm in self.arms.arms
            ],
            "seeds": self.spec.seeds,
            "seeds_needed": self.seeds_needed,
            "trials": self.num_trials,
            "epochs": self.arms.reference.variant.recipe.epochs,
            "hours": self.hours,
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """Return the plan for people."""
        spec, reference = self.spec, self.arms.reference.variant.cost
        width = max(len(arm.name) for arm in self.arms.arms)
        lines = [
            f"ablation {spec.name}: {spec.question}".rstrip(": "),
            f"  data      {self.data.name}: {self.data.num_train:,} training, judged on "
            f"{self._judges():,} {spec.evaluate} images",
            f"  design    {spec.design}: {len(self.arms.arms)} arms x {spec.seeds} seeds = "
            f"{self.num_trials} trainings of {self.arms.reference.variant.recipe.epochs} epochs",
        ]
        for arm in self.arms.arms:
            total = arm.variant.cost
            off = f"{total.params / reference.params - 1:+.2%}"
            lines.append(
                f"    {arm.name:<{width}}  {total.params:>12,} params ({off})  "
                f"{total.macs:>14,} macs"
            )
        lines.append(
            f"  smallest p of {spec.seeds} pairs {smallest_p(spec.seeds):.4g}; "
            f"{self.seeds_needed} seeds can survive Holm over {len(self.arms.arms) - 1} arms"
        )
        if self.hours is not None:
            lines.append(f"  time      about {duration_text(self.hours)} on this machine")
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def _judges(self) -> int:
        return self.data.num_val if self.spec.evaluate == "validation" else self.data.num_test


def plan_ablation(spec: AblationSpec, *, measure: bool = True) -> AblationPlan:
    """Work out what an ablation would train.

    Args:
        spec: An ablation as ``load_ablation`` returns it.
        measure: Time a few training steps of the reference for the hours (loads torch).

    Raises:
        SpecError: an arm is not possible.
        DataError: the data set cannot be read.
    """
    info = load_info(spec.data)
    arms = resolve_arms(spec, info)
    needed = seeds_needed(max(1, len(arms.arms) - 1))
    reference = arms.reference.variant
    threads = spec.resources.threads_per_trial
    seconds = seconds_per_step(reference, info, threads) if measure else None
    epochs = spec.seeds * sum(arm.variant.recipe.epochs for arm in arms.arms)
    warnings: list[str] = []
    if spec.seeds < needed:
        warnings.append(
            f"seeds: {spec.seeds} cannot give a verdict of better or worse; {needed} can"
        )
    if spec.evaluate == "test" and info.num_test == 0:
        warnings.append(f"evaluate: test, but {info.name} has no test part")
    return AblationPlan(
        spec=spec,
        data=info,
        arms=arms,
        seeds_needed=needed,
        step_seconds=seconds,
        hours=hours_of(seconds, reference, info, epochs, concurrent_trials(spec.resources)),
        warnings=tuple(warnings),
    )
