"""The learning rate as a closed-form function of the optimisation step; no torch, no state."""

import math
from collections.abc import Sequence
from typing import assert_never

from nasablate.genome.recipe import Recipe
from nasablate.genome.schedule import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    PlateauSchedule,
    PolynomialSchedule,
    ScheduleSpec,
    StepSchedule,
)
from nasablate.training.job import EpochRecord


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of optimisation step ``step``, from 0.

    It is the optimizer's rate times the schedule's factor times the warm-up's. That of a plateau
    schedule is `plateau_factor` times this.
    """
    warm = warmup_factor(recipe, step, steps_per_epoch)
    factor = schedule_factor(recipe.schedule, step, recipe.epochs, steps_per_epoch)
    return recipe.optimizer.lr * factor * warm


def schedule_factor(schedule: ScheduleSpec, step: int, epochs: int, steps_per_epoch: int) -> float:
    """Return the schedule's factor at ``step`` of ``total = epochs * steps_per_epoch``.

    step: gamma ** (milestones reached), a milestone m being reached at step round(m * total).
    exponential: gamma ** floor(epoch / every). polynomial, cosine and one_cycle: see
    ``genome.schedule``. plateau: 1, since its drops follow from results.

    >>> schedule_factor(StepSchedule(milestones=(0.5,), gamma=0.1), 5, 10, 1)
    0.1
    """
    total = epochs * steps_per_epoch
    match schedule:
        case StepSchedule():
            reached = sum(step >= round(point * total) for point in schedule.milestones)
            return schedule.gamma**reached
        case ExponentialSchedule():
            return schedule.gamma ** (step // steps_per_epoch // schedule.every)
        case CosineSchedule():
            # in this order of operations, which recorded results depend on to the last bit
            wave = (1 + math.cos(math.pi * (step * schedule.cycles % total) / total)) / 2
            return schedule.final + (1 - schedule.final) * wave
        case PolynomialSchedule():
            return _between(1.0, schedule.final, 1 - (1 - step / total) ** schedule.power)
        case OneCycleSchedule():
            return _one_cycle(schedule, step, total)
        case PlateauSchedule() | ConstantSchedule():
            return 1.0
        case _:
            assert_never(schedule)


def plateau_factor(schedule: ScheduleSpec, records: Sequence[EpochRecord]) -> float:
    """Return the factor of the epoch after ``records``: factor ** drops; 1 for other schedules."""
    if not isinstance(schedule, PlateauSchedule):
        return 1.0
    best, bad, resting, drops = math.inf, 0, 0, 0
    for record in records:
        value = record.val_error if schedule.metric == "val_error" else record.val_loss
        bad += 1
        if value < best * (1 - schedule.threshold):
            best, bad = value, 0
        if resting > 0:
            resting, bad = resting - 1, 0
        if bad > schedule.patience:
            drops, bad, resting = drops + 1, 0, schedule.cooldown
    most = drops if schedule.max_drops is None else schedule.max_drops
    return schedule.factor ** min(drops, most)


def warmup_factor(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Return start + (1 - start) * step / steps of warm-up, and 1 from its end on.

    A constant warm-up is ``start`` until its end.
    """
    warmup = recipe.warmup
    length = warmup.epochs * steps_per_epoch
    if step >= length:
        return 1.0
    if warmup.shape == "constant":
        return warmup.start
    return warmup.start + (1 - warmup.start) * step / length


def _one_cycle(schedule: OneCycleSchedule, step: int, total: int) -> float:
    turn = schedule.peak * total - 1
    if step <= turn and turn > 0:
        ends, part = (schedule.start, 1.0), step / turn
    else:
        ends, part = (1.0, schedule.final), min(1.0, (step - turn) / max(1.0, total - 1 - turn))
    return _between(*ends, _half_wave(part) if schedule.shape == "cosine" else part)


def _half_wave(part: float) -> float:
    return (1 - math.cos(math.pi * part)) / 2


def _between(first: float, last: float, part: float) -> float:
    return first + (last - first) * part
