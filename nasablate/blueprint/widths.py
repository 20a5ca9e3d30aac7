"""Widths of all residual units of a genome, from its widening schedule."""

import math
from dataclasses import dataclass
from typing import Literal, assert_never

from nasablate.errors import GenomeError, Problem
from nasablate.genome.genome import Genome
from nasablate.genome.widening import Additive, Explicit, Multiplicative, Step


@dataclass(frozen=True, slots=True)
class Rounding:
    """How widths become integers: the part of a widening schedule that all widths go through."""

    multiplier: float
    rule: Literal["half_up", "half_even", "floor"]
    multiple_of: int

    def round(self, width: float) -> int:
        """Return a width as a positive integer."""
        return self.exactly(width * self.multiplier)

    def exactly(self, width: float) -> int:
        """Return a width that the multiplier is in already as a positive integer."""
        match self.rule:
            case "half_up":
                rounded = half_up(width)
            case "half_even":
                rounded = round(width)
            case "floor":
                rounded = math.floor(width)
            case _:
                assert_never(self.rule)
        if self.multiple_of > 1:
            return nearest_multiple(rounded, self.multiple_of)
        return max(1, rounded)


def rounding_of(genome: Genome) -> Rounding:
    """Return how a genome rounds its widths."""
    schedule = genome.widening
    return Rounding(schedule.multiplier, schedule.rounding, schedule.multiple_of)


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
    rounding = rounding_of(genome)
    return [[rounding.round(width) for width in stage] for stage in running]


def _step(genome: Genome, schedule: Step) -> list[list[float]]:
    width, running = float(genome.width), list[list[float]]()
    for index, stage in enumerate(genome.stages):
        if index > 0 and _downsamples(genome, index):
            width *= schedule.factor
        running.append([width] * stage.units)
    return running


def _downsamples(genome: Genome, index: int) -> bool:
    """Tell whether a stage's maps are smaller than those of the stage before it."""
    own, before = genome.stages[index].pool, genome.stages[index - 1].pool
    pools = (own is not None and own.at == "start" and own.stride > 1) or (
        before is not None and before.at == "end" and before.stride > 1
    )
    return pools or genome.stages[index].stride > 1


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
    remedy = f"write {len(depths)} widths, or {sum(depths)}"
    found = list(schedule.widths)
    problem = Problem("widening.widths", found, rule, remedy, loc=("widening", "widths"))
    raise GenomeError(problem)
