import random
from collections import Counter

import pytest
from hypothesis import given, settings
from scipy.stats import chisquare

from nasablate.errors import SpecError
from nasablate.search.axis import Axis
from nasablate.search.cells import CellIndex, restricted
from nasablate.search.samplers import RandomSampler
from tests.search.small_spaces import axis_lists, space_of, walk

UNEVEN = {
    "unit.kind": {"choice": ["basic", "bottleneck"]},
    "unit.cardinality": {"choice": [1, 2, 4], "when": {"unit.kind": "bottleneck"}},
    "unit.radix": {"choice": [0, 1, 2], "when": {"unit.kind": "bottleneck"}},
    "shortcut.kind": {"choice": ["projection", "identity"]},
}
"""One basic and nine bottleneck units, each with a legal and an illegal shortcut."""


def frozen(cell):
    return tuple(sorted(cell.items()))


@given(axes=axis_lists())
def test_cells_are_numbered_in_the_order_of_their_axes(axes):
    index = CellIndex(axes)
    cells = list(walk(axes))
    assert index.size == len(cells)
    assert [index.unrank(number) for number in range(index.size)] == cells
    assert [list(index.unrank(number)) for number in range(index.size)] == [list(c) for c in cells]
    assert [index.rank(cell) for cell in cells] == list(range(index.size))


@given(axes=axis_lists())
def test_fixing_axes_leaves_the_cells_that_have_these_values(axes):
    last = list(walk(axes))[-1]
    fixed = dict(list(last.items())[::2])
    index = restricted(axes, fixed)
    wanted = [c for c in walk(axes) if all(c.get(name, v) == v for name, v in fixed.items())]
    assert [index.unrank(number) for number in range(index.size)] == wanted


def test_an_index_needs_no_walk():
    """Ten axes of 10**12 values, each under the condition that the one before has its first."""
    axes = [Axis("x0", "int", low=0, high=10**12 - 1)]
    for number in range(1, 10):
        conditions = ((f"x{number - 1}", (0,)),)
        axes.append(Axis(f"x{number}", "int", conditions, low=0, high=10**12 - 1))
    index = CellIndex(axes)
    assert index.size == 10 * (10**12 - 1) + 1
    assert index.unrank(0) == {f"x{number}": 0 for number in range(10)}
    assert index.unrank(index.size - 1) == {"x0": 10**12 - 1}
    assert index.rank(index.unrank(5 * 10**12)) == 5 * 10**12


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({}, "axes.unit.kind: this axis has no value"),
        ({"unit.kind": "conv"}, "axes.unit.kind = 'conv': is no value of this axis"),
        ({"unit.kind": "basic", "unit.radix": 0}, "this axis has no value"),
        (
            {"unit.kind": "basic", "shortcut.kind": "identity", "unit.radix": 0},
            "axes.unit.radix = 0: this axis does not exist in this cell",
        ),
    ],
)
def test_what_is_no_cell_has_no_number(cell, message):
    with pytest.raises(SpecError) as caught:
        space_of(UNEVEN).index.rank(cell)
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [0, 5, 6.5, float("inf"), float("nan"), "6", None])
def test_an_integer_axis_has_only_its_values(value):
    axis = Axis("x", "int", low=2, high=10, step=4)
    assert not axis.has(value)
    with pytest.raises(SpecError, match="is no value of this axis"):
        CellIndex([axis]).rank({"x": value})
    assert axis.has(6.0)
    assert CellIndex([axis]).rank({"x": 6.0}) == 1


@pytest.mark.parametrize("number", [-1, 20])
def test_numbers_beyond_the_last_cell_are_refused(number):
    with pytest.raises(IndexError):
        space_of(UNEVEN).index.unrank(number)


def test_conditions_that_branch_endlessly_are_refused():
    axes = [Axis(f"p{number}", "choice", labels=(0, 1)) for number in range(40)]
    axes += [Axis(f"q{n}", "choice", ((f"p{n}", (1,)),), labels=(0, 1)) for n in range(40)]
    with pytest.raises(SpecError, match="hold in more than 20000 combinations"):
        CellIndex(axes)


def p_uniform(draw, cells):
    """Return the p-value of the hypothesis that 200 draws per cell are uniform over cells."""
    counts = Counter(frozen(draw()) for _ in range(200 * len(cells)))
    assert set(counts) <= {frozen(cell) for cell in cells}
    return chisquare([counts[frozen(cell)] for cell in cells]).pvalue


def test_the_random_sampler_is_uniform_over_valid_cells():
    space = space_of(UNEVEN)
    valid = [cell for cell in space.cells() if space.is_valid(cell)]
    assert (space.num_cells, len(valid)) == (20, 10)
    sampler = RandomSampler(space, seed=3)
    drawn = (sampler.draw(index, []).assignment for index in range(10_000))
    accepted = (cell for cell in drawn if space.is_valid(cell))
    assert p_uniform(lambda: next(accepted), valid) > 0.01
    rng = random.Random(3)
    assert p_uniform(lambda: space.random_valid(rng).assignment, valid) > 0.01


def test_drawing_axis_by_axis_would_not_be_uniform():
    """So the test above can tell: here the one basic cell comes as often as nine others."""
    space = space_of(UNEVEN)
    valid = [cell for cell in space.cells() if space.is_valid(cell)]
    rng = random.Random(3)
    accepted = (cell for cell in iter(lambda: space.by_axis(rng), None) if space.is_valid(cell))
    assert p_uniform(lambda: next(accepted), valid) < 1e-9


def test_no_valid_cell_is_found_where_there_is_none():
    space = space_of(UNEVEN, constraints={"params": {"max": 1}})
    assert space.random_valid(random.Random(0), tries=50) is None


def test_continuous_axes_are_drawn_by_themselves():
    axes = {
        **UNEVEN,
        "training.optimizer.lr": {"float": [0.1, 0.3], "when": {"unit.kind": "basic"}},
    }
    space = space_of(axes)
    rng = random.Random(5)
    drawn = [space.random(rng) for _ in range(4000)]
    rates = [cell["training.optimizer.lr"] for cell in drawn if "training.optimizer.lr" in cell]
    assert len(rates) == sum(cell["unit.kind"] == "basic" for cell in drawn)
    assert len(rates) / 4000 == pytest.approx(0.1, abs=0.02)
    assert sum(rates) / len(rates) == pytest.approx(0.2, abs=0.02)
    assert space.num_cells is None
    assert list(space.cells()) == []


def test_a_logarithmic_axis_keeps_its_scale_unless_others_depend_on_it():
    width = {"width": {"int": [4, 64], "log": True}}
    rng = random.Random(2)
    free, asked = space_of(width), space_of({**width, **UNEVEN})
    for space in (free, asked):
        small = sum(space.random(rng)["width"] <= 16 for _ in range(3000)) / 3000
        assert small == pytest.approx(0.5, abs=0.05)
        small = sum(space.uniform(rng)["width"] <= 16 for _ in range(3000)) / 3000
        assert small == pytest.approx(13 / 61, abs=0.05)
    parent = space_of({**width, "stages.0.units": {"int": [1, 2], "when": {"width": 4}}})
    small = sum(parent.random(rng)["width"] <= 16 for _ in range(3000)) / 3000
    assert small == pytest.approx(14 / 62, abs=0.05)


@settings(max_examples=30)
@given(axes=axis_lists())
def test_a_completed_cell_keeps_what_was_fixed(axes):
    rng = random.Random(0)
    cells = list(walk(axes))
    cell = rng.choice(cells)
    fixed = {name: value for name, value in cell.items() if rng.random() < 0.5}
    index = restricted(axes, fixed)
    found = index.unrank(rng.randrange(index.size))
    assert found in cells
    assert all(found[name] == value for name, value in fixed.items() if name in found)
