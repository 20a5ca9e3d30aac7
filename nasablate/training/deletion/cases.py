"""The usual questions about a trained network as lists of named chains. No torch."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nasablate.blueprint.blueprint import Blueprint
from nasablate.errors import InputError
from nasablate.training.deletion.candidates import deletable
from nasablate.training.deletion.chains import (
    Chain,
    deleted_units,
    intact,
    scaled,
    unit_indices,
)

Pairs = tuple[tuple[int, int], ...]
"""Places whose units can be exchanged."""
_MOST_FAILURES = 100

Kind = Literal[
    "intact", "single", "pair", "stage", "downsampling", "random", "scaling", "reordering"
]


@dataclass(frozen=True, slots=True)
class Case:
    """A chain with what it asks; the names of the cases of one question differ."""

    kind: Kind
    name: str
    chain: Chain
    units: tuple[int, ...] = ()
    """The units deleted, weakened or moved, in ascending order."""
    branch: float = 1.0
    """Factor on the branches of ``units``: 0 deletes."""
    swaps: int = 0
    """Exchanges made."""
    repeat: int = 0
    """Number of the random draw, from 0."""
    kendall_tau: float = 1.0
    """Rank correlation of the order with the original one, over all units."""
    group_tau: float = 1.0
    """The same over pairs of units of equal shape only: -1 if all of them are reversed."""


def intact_case(blueprint: Blueprint) -> Case:
    """Return the network itself."""
    return Case("intact", "intact", intact(blueprint))


def single_deletions(blueprint: Blueprint) -> tuple[Case, ...]:
    """Return the deletion of every unit that can be deleted, each by itself."""
    return tuple(_deletion(blueprint, "single", [unit]) for unit in possible_units(blueprint))


def pair_deletions(
    blueprint: Blueprint, which: Literal["all", "adjacent"] = "all"
) -> tuple[Case, ...]:
    """Return the deletion of every pair of units, or of the pairs that follow one another."""
    units = possible_units(blueprint)
    pairs = itertools.combinations(units, 2)
    wanted = [pair for pair in pairs if which == "all" or pair[1] == pair[0] + 1]
    return tuple(_deletion(blueprint, "pair", pair) for pair in wanted)


def stage_deletions(blueprint: Blueprint) -> tuple[Case, ...]:
    """Return for every stage the deletion of all its units that can be deleted, together."""
    by_stage: dict[int, list[int]] = {}
    for unit in possible_units(blueprint):
        by_stage.setdefault(blueprint.parts[unit].stage, []).append(unit)
    return tuple(
        _deletion(blueprint, "stage", units, f"stages.{stage}") for stage, units in by_stage.items()
    )


def downsampling_deletion(blueprint: Blueprint) -> tuple[Case, ...]:
    """Return the deletion of all units that downsample and can be deleted, together; or nothing."""
    units = [c.unit for c in deletable(blueprint) if c.possible and c.downsampling]
    return (_deletion(blueprint, "downsampling", units, "downsampling"),) if units else ()


def random_deletions(
    blueprint: Blueprint, counts: Sequence[int], repeats: int, seed: int
) -> tuple[Case, ...]:
    """Return for every count ``repeats`` deletions of so many units, drawn without replacement.

    Every draw has a random stream of its own: more counts or repeats leave the others as they are.

    Raises:
        InputError: a count is below 1 or above the number of units that can be deleted.
    """
    units = possible_units(blueprint)
    for count in counts:
        if not 1 <= count <= len(units):
            message = f"count = {count}: must be from 1 to {len(units)}, the units to choose from"
            raise InputError(message)
    return tuple(
        _drawn(blueprint, units, count, repeat, seed)
        for count in counts
        for repeat in range(repeats)
    )


def branch_scalings(
    blueprint: Blueprint, factors: Sequence[float], *, together: bool = False
) -> tuple[Case, ...]:
    """Return every unit's branch times every factor, one unit at a time or all units together.

    Plain units have no branch to be weakened and are left out.
    """
    units = [c.unit for c in deletable(blueprint) if c.way == "shortcut"]
    groups = [units] if together and units else [[unit] for unit in units]
    return tuple(
        _scaling(blueprint, group, factor, together=together)
        for group in groups
        for factor in factors
    )


def reorderings(
    blueprint: Blueprint, swaps: Sequence[int], repeats: int, seed: int
) -> tuple[Case, ...]:
    """Return orders in which random pairs of units of equal shape have been exchanged.

    Pairs are drawn from all pairs of places that hold units with equal input and output, and
    exchanged one after the other. No exchange undoes others: with fewer, the order cannot be had.
    Every draw has a random stream of its own; ``Case.repeat`` is its number, and streams whose
    exchanges undo one another are passed over, so that all others are equally likely.

    Raises:
        InputError: a number of exchanges is below 1 or above ``most_exchanges``, or no two units
            have equal shapes.
    """
    pairs = exchangeable_pairs(blueprint)
    if not pairs:
        message = "no two units have equal input and output shapes, so no order but one can run"
        raise InputError(message)
    most = most_exchanges(blueprint)
    for count in swaps:
        if not 1 <= count <= most:
            message = f"swaps = {count}: must be from 1 to {most}, or exchanges undo one another"
            raise InputError(message)
    return tuple(
        _reordering(blueprint, pairs, exchanges, repeat)
        for count in swaps
        for repeat, exchanges in itertools.islice(_drawn_exchanges(pairs, count, seed), repeats)
    )


def most_exchanges(blueprint: Blueprint) -> int:
    """Return how many exchanges can follow one another without undoing what was done."""
    shapes = Counter(blueprint.parts[unit].fragment.input for unit in _keeping_units(blueprint))
    return sum(count - 1 for count in shapes.values())


def possible_units(blueprint: Blueprint) -> tuple[int, ...]:
    """Return the units that can be deleted; ``deletable`` says why the others cannot."""
    return tuple(c.unit for c in deletable(blueprint) if c.possible)


def exchangeable_pairs(blueprint: Blueprint) -> Pairs:
    """Return all pairs of units that keep the same shape."""
    shapes = {unit: blueprint.parts[unit].fragment.input for unit in _keeping_units(blueprint)}
    return tuple(
        (first, second)
        for first, second in itertools.combinations(shapes, 2)
        if shapes[first] == shapes[second]
    )


def _keeping_units(blueprint: Blueprint) -> tuple[int, ...]:
    fragments = ((unit, blueprint.parts[unit].fragment) for unit in unit_indices(blueprint))
    return tuple(unit for unit, found in fragments if found.input == found.output_shape)


def kendall_tau(order: Sequence[int], pairs: Iterable[tuple[int, int]] | None = None) -> float:
    """Return Kendall's rank correlation of an order of distinct numbers with the ascending one.

    Args:
        order: Distinct numbers.
        pairs: (smaller, larger) numbers to be compared; all if not given.

    >>> kendall_tau([1, 2, 4, 3])
    0.6666666666666667
    """
    place = {unit: index for index, unit in enumerate(order)}
    compared = list(itertools.combinations(sorted(order), 2) if pairs is None else pairs)
    if not compared:
        return 1.0
    reversed_pairs = sum(place[small] > place[large] for small, large in compared)
    return 1 - 2 * reversed_pairs / len(compared)


def _deletion(
    blueprint: Blueprint, kind: Kind, units: Iterable[int], name: str = "", repeat: int = 0
) -> Case:
    chosen = tuple(sorted(units))
    chain = scaled(intact(blueprint), chosen)
    assert deleted_units(chain) == chosen
    return Case(kind, name or _names(blueprint, chosen), chain, chosen, 0.0, repeat=repeat)


def _drawn(
    blueprint: Blueprint, units: tuple[int, ...], count: int, repeat: int, seed: int
) -> Case:
    rng = np.random.default_rng([seed, count, repeat])
    chosen = [int(unit) for unit in rng.choice(units, count, replace=False)]
    return _deletion(blueprint, "random", chosen, f"{count} random #{repeat + 1}", repeat)


def _scaling(blueprint: Blueprint, units: list[int], factor: float, *, together: bool) -> Case:
    chain = scaled(intact(blueprint), units, factor)
    name = "all units" if together else _names(blueprint, units)
    return Case("scaling", f"{name} x {factor:g}", chain, tuple(units), factor)


class _Links:
    """Places joined by exchanges. One within a group undoes: it makes the order less shuffled."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        """From a place to another of its group; from one place of each group to none."""

    def join(self, first: int, second: int) -> bool:
        """Join the groups of two places; False if they are in one group already."""
        one, other = self._end(first), self._end(second)
        if one != other:
            self._next[one] = other
        return one != other

    def _end(self, place: int) -> int:
        while (following := self._next.get(place)) is not None:
            beyond = self._next.get(following)
            if beyond is not None:
                self._next[place] = beyond  # the next way is shorter
            place = following
        return place


def _drawn_exchanges(
    pairs: Pairs, count: int, seed: int
) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Yield draws of so many exchanges that do not undo one another, with their stream's number."""
    failed = 0
    for stream in itertools.count():
        rng = np.random.default_rng([seed, count, stream])
        places: list[int] = rng.integers(len(pairs), size=count).tolist()
        drawn = [pairs[place] for place in places]
        links = _Links()
        if all(links.join(*pair) for pair in drawn):
            failed = 0
            yield stream, drawn
        elif failed < _MOST_FAILURES:
            failed += 1
        else:  # so near the most exchanges hardly a whole draw would do
            yield stream, _one_by_one(pairs, count, rng)


def _one_by_one(pairs: Pairs, count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    links = _Links()
    places: list[int] = rng.permutation(len(pairs)).tolist()
    joining = (pairs[place] for place in places if links.join(*pairs[place]))
    return list(itertools.islice(joining, count))


def _reordering(
    blueprint: Blueprint, pairs: Pairs, exchanges: Sequence[tuple[int, int]], repeat: int
) -> Case:
    units, swaps = unit_indices(blueprint), len(exchanges)
    order = list(units)
    for pair in exchanges:
        first, second = (unit - units.start for unit in pair)
        order[first], order[second] = order[second], order[first]
    steps = {step.unit: step for step in intact(blueprint)}
    return Case(
        "reordering",
        f"{swaps} swaps #{repeat + 1}",
        tuple(steps[unit] for unit in order),
        tuple(unit for unit, now in zip(units, order, strict=True) if unit != now),
        swaps=swaps,
        repeat=repeat,
        kendall_tau=kendall_tau(order),
        group_tau=kendall_tau(order, pairs),
    )


def _names(blueprint: Blueprint, units: Iterable[int]) -> str:
    return " + ".join(blueprint.parts[unit].name for unit in units)
