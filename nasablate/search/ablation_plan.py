"""What an ablation would train, worked out before anything is trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasablate.analysis.fractional import Fraction
from nasablate.data import DataInfo, info_to_plan
from nasablate.errors import Problem
from nasablate.genome import AblationSpec
from nasablate.search.ablation_cost import AblationCost, disk_bytes, measure_cost
from nasablate.search.ablation_tables import fraction_document
from nasablate.search.answerable import needed_seeds, shared_paths, why_undecided
from nasablate.search.arms import Arms, resolve_arms
from nasablate.search.confounds import (
    Differences,
    arm_documents,
    find_differences,
    level_differences,
)
from nasablate.search.designs import fraction_of
from nasablate.search.detectability import Detectable, find_detectable
from nasablate.search.judged_part import check_judged_part
from nasablate.search.looks import most_replicates
from nasablate.search.looks_plan import LooksPlan, looks_plan
from nasablate.search.pilot import Noise, noise_of


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """The arms of an ablation and what they take."""

    spec: AblationSpec
    data: DataInfo
    missing: str
    """Why the data set was not looked at, so that its published counts stand for it; else
    empty."""
    arms: Arms
    differences: dict[str, Differences]
    """By arm, without the reference."""
    levels: dict[str, Differences]
    """By ``factor=level``, for designs that combine levels."""
    fraction: Fraction | None
    needed: dict[str, int]
    """See ``answerable.needed_seeds``."""
    refusal: Problem | None
    """Why the seeds cannot answer; None if they can."""
    noise: Noise | None
    detectable: tuple[Detectable, ...]
    cost: AblationCost | None
    """None if nothing was timed."""
    disk_bytes: int
    warnings: tuple[str, ...]
    looks: LooksPlan | None = None
    """For sequential ablations."""

    @property
    def num_trials(self) -> int:
        """Trainings in all, at most."""
        return sum(most_replicates(self.spec, [arm.name for arm in self.arms.arms]).values())

    @property
    def epochs(self) -> tuple[int, int]:
        """Least and most epochs of an arm."""
        epochs = [arm.variant.recipe.epochs for arm in self.arms.arms]
        return min(epochs), max(epochs)

    @property
    def num_judged(self) -> int:
        """Images that judge."""
        return self.data.num_val if self.spec.evaluate == "validation" else self.data.num_test

    @property
    def is_refused(self) -> bool:
        """Whether the ablation is not to be run as it is."""
        return self.refusal is not None and not self.spec.accept_undecided

    def document(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        spec = self.spec
        return {
            "name": spec.name,
            "question": spec.question,
            "design": spec.design,
            "data": {
                "name": self.data.name,
                "fingerprint": self.data.fingerprint or None,
                "missing": self.missing or None,
                "num_train": self.data.num_train,
                "num_judged": self.num_judged,
                "judged_on": spec.evaluate,
            },
            "arms": arm_documents(self.arms),
            "levels": {name: found.document() for name, found in self.levels.items()},
            "fraction": None if self.fraction is None else fraction_document(self.fraction),
            "seeds": spec.seeds,
            "seeds_needed": min(self.needed.values(), default=None),
            "seeds_needed_for": dict(self.needed),
            "trials": self.num_trials,
            "epochs": list(self.epochs),
            "hours": None if self.cost is None else self.cost.hours,
            "cost": None if self.cost is None else self.cost.document(),
            "sequential": None if self.looks is None else self.looks.document(),
            "disk_bytes": self.disk_bytes,
            "noise": None if self.noise is None else self.noise.document(),
            "detectable": [found.document() for found in self.detectable],
            "refused": str(self.refusal) if self.is_refused else None,
            "warnings": list(self.warnings),
        }


def plan_ablation(
    spec: AblationSpec, *, measure: bool = True, folder: Path | None = None
) -> AblationPlan:
    """Work out what an ablation would train.

    Args:
        spec: An ablation as ``load_ablation`` returns it.
        measure: Time a few training steps of every class of cost (loads torch), if the data set
            is here.
        folder: Of the file, where a pilot's records may lie.

    Raises:
        SpecError: an arm is not possible, the pilot's records cannot be used, or the arms are to be
            judged by a test part that the data do not have.
        DataError: the data set cannot be read, or is missing and not known.
    """
    noise = noise_of(spec, folder)
    info, missing = info_to_plan(spec.data)
    check_judged_part(spec, info)
    arms = resolve_arms(spec, info)
    looks = looks_plan(spec, arms, noise)
    return AblationPlan(
        spec=spec,
        data=info,
        missing=missing,
        arms=arms,
        differences=find_differences(arms),
        levels=level_differences(spec, info),
        fraction=fraction_of(spec) if spec.design == "fractional" else None,
        needed=needed_seeds(spec, arms),
        refusal=why_undecided(spec, arms),
        noise=noise,
        detectable=find_detectable(spec, arms, noise) if looks is None else (),
        cost=measure_cost(spec, arms, info) if measure and not missing else None,
        disk_bytes=disk_bytes(spec, arms, info),
        warnings=(*_warnings(spec, arms), *(() if looks is None else looks.warnings)),
        looks=looks,
    )


def _warnings(spec: AblationSpec, arms: Arms) -> list[str]:
    found: list[str] = []
    problem, needed = why_undecided(spec, arms), needed_seeds(spec, arms)
    if problem is not None:
        if spec.accept_undecided:  # else it is the refusal
            found.append(f"{problem.path}: {problem.value} {problem.rule}")
    elif needed and spec.seeds < needed["arms"]:
        found.append(
            f"seeds: {spec.seeds} can decide effects, but no single arm; {needed['arms']} can"
        )
    found += shared_paths(spec)
    return found
