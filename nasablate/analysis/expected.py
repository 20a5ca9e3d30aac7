"""What a sequential ablation is likely to take, by running it many times on normal noise."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nasablate.analysis.sequential import SequentialPlan, decide

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STUDIES = 200


@dataclass(frozen=True, slots=True)
class Expected:
    """A mean over simulated studies."""

    effect: float
    """True difference of every arm from the baseline, in the unit of the values."""
    trainings: float
    """Mean number, the baseline's included."""
    error: float
    """Standard error of that mean."""
    seeds: float
    """Mean seeds of an arm."""
    called: float
    """Share of arms called better or worse: the power, or without an effect the errors."""


def expect(
    plan: SequentialPlan, effect: float, *, sd: float, correlation: float = 0.0, seed: int = 0
) -> Expected:
    """Simulate a sequential ablation whose arms all differ from the baseline by ``effect``.

    Args:
        plan: Its looks.
        effect: True difference of every arm, lower is better.
        sd: Standard deviation of one arm over seeds.
        correlation: Of two arms on the same seeds, 0 to below 1; negative counts as 0.
        seed: Of the noise.

    Raises:
        ValueError: a standard deviation that is not above zero.
    """
    if not (math.isfinite(sd) and sd > 0):
        message = f"sd = {sd} must be above zero"
        raise ValueError(message)
    import numpy as np

    generator = np.random.default_rng(seed)
    count, last, r = len(plan.arms), plan.looks[-1], max(0.0, correlation)
    taken: list[int] = []
    called = 0
    for _ in range(STUDIES):
        shared = math.sqrt(r) * generator.normal(size=plan.baseline_seeds)
        own = math.sqrt(1 - r) * generator.normal(size=(count + 1, plan.baseline_seeds))
        values = sd * (shared + own)
        arms = dict(zip(plan.arms, values[1:, :last] + effect, strict=True))
        state = decide(plan, _rows(values[0]), {name: _rows(found) for name, found in arms.items()})
        taken.append(sum(arm.seeds for arm in state.arms.values()))
        called += sum(arm.verdict in {"better", "worse"} for arm in state.arms.values())
    mean = sum(taken) / STUDIES
    spread = math.sqrt(sum((own - mean) ** 2 for own in taken) / (STUDIES - 1))
    return Expected(
        effect=effect,
        trainings=plan.baseline_seeds + mean,
        error=spread / math.sqrt(STUDIES),
        seeds=mean / count,
        called=called / (STUDIES * count),
    )


def _rows(values: "NDArray[np.float64]") -> dict[int, float]:
    return {replicate: float(value) for replicate, value in enumerate(values)}
