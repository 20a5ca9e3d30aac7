"""Chains: the order in which units run, and the factor on each unit's residual branch.

Deleting units, weakening them and exchanging them are all chains over one trained network. The
stem runs before a chain and the head after it. No torch.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nasablate.blueprint.blueprint import Blueprint
from nasablate.errors import InputError
from nasablate.training.deletion.candidates import deletable, shape_text


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of a chain."""

    unit: int
    """Index in ``Blueprint.units``: 0 is the stem, so units count from 1."""
    branch: float = 1.0
    """Factor on the residual branch before the addition; 0 deletes the unit."""


Chain = tuple[Step, ...]


def intact(blueprint: Blueprint) -> Chain:
    """Return the chain that is the network itself.

    >>> from nasablate.blueprint import lower
    >>> from nasablate.genome import load_genome
    >>> len(intact(lower(load_genome("resnet-110"))))
    54
    """
    return tuple(Step(unit) for unit in unit_indices(blueprint))


def unit_indices(blueprint: Blueprint) -> range:
    """Return the indices of the units between stem and head."""
    return range(1, len(blueprint.parts) - 1)


def scaled(chain: Chain, units: Iterable[int], branch: float = 0.0) -> Chain:
    """Return the chain with another factor on the branches of ``units``; 0 deletes them."""
    chosen = frozenset(units)
    return tuple(replace(s, branch=branch) if s.unit in chosen else s for s in chain)


def deleted_units(chain: Chain) -> tuple[int, ...]:
    """Return the units of which only the shortcut is left, in ascending order.

    >>> deleted_units((Step(1), Step(3, 0.0), Step(2)))
    (3,)
    """
    return tuple(sorted(step.unit for step in chain if step.branch == 0))


def check_chains(blueprint: Blueprint, chains: Sequence[Chain]) -> None:
    """Refuse chains that this network cannot run.

    Raises:
        InputError: there is no chain; or one lacks units or repeats them, deletes a unit that
            cannot be deleted, weakens one without a shortcut, or joins units whose shapes differ.
    """
    if not chains:
        message = "no chain to be evaluated; ask for one deletion at least"
        raise InputError(message)
    candidates = deletable(blueprint)
    units = list(unit_indices(blueprint))
    checked: set[tuple[int, Step]] = set()
    for number, chain in enumerate(chains):
        if sorted(step.unit for step in chain) != units:
            message = f"chain {number}: must hold every unit from 1 to {len(units)} exactly once"
            raise InputError(message)
        before = 0
        for step in chain:
            if (before, step) not in checked:
                _check_step(blueprint, number, before, step)
                problem = candidates[step.unit].refuses(step.branch)
                if problem:
                    message = f"chain {number}: {blueprint.units[step.unit].name}: {problem}"
                    raise InputError(message)
                checked.add((before, step))
            before = step.unit
        _check_join(blueprint, number, before, len(units) + 1)


def _check_step(blueprint: Blueprint, number: int, before: int, step: Step) -> None:
    if not math.isfinite(step.branch):
        name = blueprint.units[step.unit].name
        message = f"chain {number}: {name}: branch = {step.branch}: must be a finite number"
        raise InputError(message)
    _check_join(blueprint, number, before, step.unit)


def _check_join(blueprint: Blueprint, number: int, before: int, after: int) -> None:
    first, second = blueprint.parts[before], blueprint.parts[after]
    given, wanted = first.fragment.output_shape, second.fragment.input
    if given != wanted:
        message = (
            f"chain {number}: {second.name} reads {shape_text(wanted)} but {first.name} before it"
            f" gives {shape_text(given)}; exchange only units of equal shape"
        )
        raise InputError(message)
