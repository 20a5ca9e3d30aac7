import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasablate.errors import SpecError
from nasablate.search import neighbours as module
from nasablate.search.neighbours import crossover, mutate, neighbours
from tests.search.small_spaces import small_spaces, space_of

some_seed = st.integers(0, 2**32)


def frozen(cell):
    return tuple(sorted(cell.items()))


def changed(one, other):
    """Return the axes that two cells both have with different values."""
    return [name for name in one if name in other and one[name] != other[name]]


def identity(space, cell):
    try:
        found = space.candidate(cell)
    except SpecError:
        return None
    return found.network_digest, found.recipe_digest


def cell_of(space, number):
    return space.index.unrank(number % space.num_cells)


@settings(max_examples=40, deadline=None)
@given(space=small_spaces(), number=some_seed)
def test_neighbours_are_all_cells_that_differ_in_one_axis(space, number):
    cell = cell_of(space, number)
    found = [frozen(near) for near in neighbours(space, cell)]
    wanted = {frozen(near) for near in space.cells() if len(changed(cell, near)) == 1}
    assert len(found) == len(set(found))
    assert set(found) == wanted


@settings(max_examples=60, deadline=None)
@given(space=small_spaces(), number=some_seed, seed=some_seed)
def test_a_mutation_is_a_valid_neighbour_that_is_another_network_or_recipe(space, number, seed):
    cell = cell_of(space, number)
    before = identity(space, cell)
    near = mutate(space, cell, random.Random(seed))
    good = [
        frozen(other)
        for other in neighbours(space, cell)
        if space.valid_candidate(other) is not None and identity(space, other) != before
    ]
    if near is None:
        assert not good
    else:
        space.index.rank(near)  # it is a cell
        assert len(changed(cell, near)) == 1
        assert frozen(near) in good


@settings(max_examples=60, deadline=None)
@given(space=small_spaces(), numbers=st.tuples(some_seed, some_seed), seed=some_seed)
def test_a_child_has_every_axis_from_a_parent_and_is_valid(space, numbers, seed):
    one, other = (cell_of(space, number) for number in numbers)
    child = crossover(space, one, other, random.Random(seed))
    if child is None:
        assert not space.is_valid(one)
        assert not space.is_valid(other)
        return
    space.index.rank(child)
    assert space.valid_candidate(child) is not None
    for name, value in child.items():
        parents = [parent[name] for parent in (one, other) if name in parent]
        assert value in parents or not parents


AXES = {
    "unit.kind": {"choice": ["basic", "bottleneck"]},
    "unit.radix": {"choice": [0, 1, 2], "when": {"unit.kind": "bottleneck"}},
    "width": {"int": [6, 10], "step": 2},
    "training.optimizer.lr": {"float": [0.1, 0.2]},
}
START = {"unit.kind": "basic", "width": 6, "training.optimizer.lr": 0.15}


def test_mutation_reaches_every_neighbour_and_moves_continuous_axes():
    space, rng = space_of(AXES), random.Random(0)
    found = [mutate(space, START, rng) for _ in range(600)]
    near = {frozen({**cell, "training.optimizer.lr": 0}) for cell in found}
    assert len(near) == 3 + 2 + 1
    rates = {cell["training.optimizer.lr"] for cell in found} - {0.15}
    assert len(rates) == pytest.approx(200, abs=50)
    assert all(0.1 <= rate <= 0.2 for rate in rates)
    assert all(changed(START, cell) == ["training.optimizer.lr"]
               for cell in found if cell["training.optimizer.lr"] != 0.15)  # fmt: skip


def test_an_axis_without_effect_is_not_mutated():
    axes = {**AXES, "unit.radix": {"choice": [0, 1, 2]}}
    space, rng = space_of(axes), random.Random(0)
    start = {**START, "unit.radix": 0}
    assert not any("unit.radix" in changed(start, mutate(space, start, rng)) for _ in range(300))


def test_children_mix_their_parents_and_may_need_what_neither_has():
    axes = {
        "unit.kind": {"choice": ["basic", "bottleneck"]},
        "width": {"choice": [6, 8]},
        "unit.radix": {"choice": [0, 1], "when": {"unit.kind": "bottleneck", "width": 8}},
    }
    space, rng = space_of(axes), random.Random(0)
    one, other = {"unit.kind": "bottleneck", "width": 6}, {"unit.kind": "basic", "width": 8}
    children = {frozen(crossover(space, one, other, rng)) for _ in range(200)}
    assert children == {frozen(cell) for cell in space.cells()}


def test_without_a_valid_neighbour_there_is_no_mutation():
    rng = random.Random(0)
    axes = {"unit.kind": {"choice": ["basic"]}}
    assert mutate(space_of(axes), {"unit.kind": "basic"}, rng) is None
    limits = {"params": {"max": 1}}
    assert mutate(space_of(AXES, constraints=limits), START, rng) is None
    assert crossover(space_of(AXES, constraints=limits), START, START, rng) is None


def test_the_one_valid_neighbour_among_thousands_is_found(monkeypatch):
    """Nearly all widths are beyond the limits, and the draws are used up."""
    monkeypatch.setattr(module, "TRIES", 3)
    axes = {"width": {"int": [8, 1000]}, "unit.kind": {"choice": ["basic", "bottleneck"]}}
    space = space_of(axes, constraints={"params": {"max": 12_000}})
    start = {"width": 900, "unit.kind": "basic"}
    assert mutate(space, start, random.Random(0))["width"] < 20
    monkeypatch.setattr(module, "MOST_NEIGHBOURS", 100)
    assert mutate(space, start, random.Random(0)) is None


def test_a_continuous_axis_that_would_appear_is_no_countable_neighbour():
    axes = {
        "unit.kind": {"choice": ["basic", "bottleneck"]},
        "dropout": {"float": [0.0, 0.5], "when": {"unit.kind": "bottleneck"}},
    }
    space = space_of(axes)
    assert list(neighbours(space, {"unit.kind": "basic"})) == []
    assert list(neighbours(space, {"unit.kind": "bottleneck", "dropout": 0.25})) == [
        {"unit.kind": "basic"}
    ]
    near = mutate(space, {"unit.kind": "basic"}, random.Random(0))
    assert near["unit.kind"] == "bottleneck"
    assert 0 <= near["dropout"] <= 0.5


@pytest.mark.parametrize("cell", [{}, {**START, "width": 7}, {**START, "unit.radix": 0}])
def test_what_is_no_cell_has_no_neighbours(cell):
    space, rng = space_of(AXES), random.Random(0)
    with pytest.raises(SpecError):
        mutate(space, cell, rng)
    with pytest.raises(SpecError):
        crossover(space, START, cell, rng)
    with pytest.raises(SpecError):
        list(neighbours(space, cell))
