"""Widths of all residual units of a genome, from its widening schedule."""

import math
from typing import assert_never

from nasablate.errors import GenomeError, Problem
from nasablate.genome.genome import Genome
from nasablate.genome.widening import Additive, Explicit, Multiplicative, Step


def half_up(value: float) -> int:
    """Round to the nearest integer, halves up.

    >>> half_up(2.5), half_up(16.49)
    (3, 16)
    """
    return math.floor(value + 0.5)


def nearest_multiple(value: float, factor: int) -> int:
    """Return the positive multiple of ``factor`` nearest to ``value``, halves up.

    >>> nearest_multiple(17, 4), nearest_multiple(1, 32)
    (16, 32)
    """
    return max(1, half_up(value / factor)) * factor


def unit_widths(genome: Genome) -> list[list[int]]:
    """Return the width of every unit, by stage.

    PyramidNet's schedules change a running float before each unit and round it for that unit
    only, as the official code does (jhkim89/PyramidNet, addpyramidnet.lua).

    Raises:
        GenomeError: explicit widths fit neither the stages nor the units.
    """
    depths = [stage.units for stage in genome.stages]
    match genome.widening:
        case Step():
            running = _step(genome, genome.widening)
        case Additive() | Multiplicative():
            running = _accumulate(genome.width, genome.widening, depths)
        case Explicit():
            running = _explicit(genome.widening, depths)
        case _:
            assert_never(genome.widening)
    return [[_round(width, genome) for width in stage] for stage in running]


def _step(genome: Genome, schedule: Step) -> list[list[float]]:
    width, running = float(genome.width), list[list[float]]()
    for index, stage in enumerate(genome.stages):
        if index > 0 and stage.stride > 1:
            width *= schedule.factor
        running.append([width] * stage.units)
    return running


def _accumulate(
    start: int, schedule: Additive | Multiplicative, depths: list[int]
) -> list[list[float]]:
    total = max(1, sum(depths))
    factor, increment = 1.0, 0.0
    if isinstance(schedule, Additive):
        increment = schedule.alpha / total
    else:
        factor = schedule.alpha ** (1 / total)
    width, running = float(start), list[list[float]]()
    waits = schedule.first == "start"
    for depth in depths:
        stage: list[float] = []
        for _ in range(depth):
            width = width if waits else width * factor + increment
            waits = False
            stage.append(width)
        running.append(stage)
    return running


def _explicit(schedule: Explicit, depths: list[int]) -> list[list[float]]:
    widths = [float(width) for width in schedule.widths]
    if len(widths) == len(depths):
        return [[width] * depth for width, depth in zip(widths, depths, strict=True)]
    if len(widths) == sum(depths):
        remaining = iter(widths)
        return [[next(remaining) for _ in range(depth)] for depth in depths]
    rule = f"needs one width per stage ({len(depths)}) or per unit ({sum(depths)})"
    problem = Problem("widening.widths", schedule.widths, rule, loc=("widening", "widths"))
    raise GenomeError(problem)


def _round(width: float, genome: Genome) -> int:
    schedule = genome.widening
    width *= schedule.multiplier
    match schedule.rounding:
        case "half_up":
            rounded = half_up(width)
        case "half_even":
            rounded = round(width)
        case "floor":
            rounded = math.floor(width)
        case _:
            assert_never(schedule.rounding)
    if schedule.multiple_of > 1:
        return nearest_multiple(rounded, schedule.multiple_of)
    return max(1, rounded)
