"""The learning rate as a closed-form function of the optimisation step; no torch, no state."""

import math
from typing import assert_never

from nasablate.genome.recipe import (
    ConstantSchedule,
    CosineSchedule,
    Recipe,
    ScheduleSpec,
    StepSchedule,
)


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of optimisation step ``step``, from 0.

    It is the optimizer's rate times the schedule's factor times the warm-up's.
    """
    total = recipe.epochs * steps_per_epoch
    warm = warmup_factor(recipe, step, steps_per_epoch)
    return recipe.optimizer.lr * schedule_factor(recipe.schedule, step, total) * warm


def schedule_factor(schedule: ScheduleSpec, step: int, total: int) -> float:
    """Return the schedule's factor at ``step`` of ``total``.

    step: gamma ** (milestones reached), a milestone m being reached at step round(m * total).
    cosine: final + (1 - final) * (1 + cos(pi * step / total)) / 2.

    >>> schedule_factor(StepSchedule(milestones=(0.5,), gamma=0.1), 5, 10)
    0.1
    """
    match schedule:
        case StepSchedule():
            reached = sum(step >= round(point * total) for point in schedule.milestones)
            return schedule.gamma**reached
        case CosineSchedule():
            wave = (1 + math.cos(math.pi * step / total)) / 2
            return schedule.final + (1 - schedule.final) * wave
        case ConstantSchedule():
            return 1.0
        case _:
            assert_never(schedule)


def warmup_factor(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return start + (1 - start) * step / steps of warm-up, and 1 from its end on."""
    length = recipe.warmup.epochs * steps_per_epoch
    if step >= length:
        return 1.0
    return recipe.warmup.start + (1 - recipe.warmup.start) * step / length
