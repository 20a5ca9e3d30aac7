from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasablate.blueprint import lower
from nasablate.errors import GenomeError, SpecError
from nasablate.genome import Genome, load_genome
from nasablate.search.repair import distance, nearest_legal, repair
from tests.search.small_spaces import small_spaces, space_of

NUMBERS = {"unit.cardinality", "width", "stages.0.units", "drop_path.final", "training.epochs",
           "training.batch_size", "training.optimizer.lr"}  # fmt: skip


def plain_distance(space, one, other):
    """Return the distance as it is defined, over the values of each axis."""
    steps = []
    for axis in space.axes:
        name = axis.name
        if name not in one or name not in other or one[name] == other[name]:
            continue
        if name in NUMBERS and not isinstance(one[name], str):
            ends = axis.labels or (axis.low, axis.high)
            span = Fraction(max(ends)) - Fraction(min(ends))
            steps.append(abs(Fraction(one[name]) - Fraction(other[name])) / (span or 1))
        else:
            steps.append(Fraction(1))
    return len(steps), sum(steps, Fraction(0))


@st.composite
def spaces_with_assignments(draw):
    """Cells, and assignments that are none: axes too many, too few, with values of their own."""
    space = draw(small_spaces(most_axes=4))
    if draw(st.booleans()):
        return space, space.index.unrank(draw(st.integers(0, space.num_cells - 1)))
    chosen = {}
    for axis in space.axes:
        values = [*axis.values(), "none of them", *([5, 7.5, 40] if axis.name in NUMBERS else [])]
        value = draw(st.sampled_from(values))
        if draw(st.integers(0, 4)):
            chosen[axis.name] = value
    return space, chosen


@settings(max_examples=150, deadline=None)
@given(case=spaces_with_assignments())
def test_the_repair_is_the_nearest_valid_cell(case):
    space, assignment = case
    valid = [cell for cell in space.cells() if space.valid_candidate(cell) is not None]
    found = repair(space, assignment)
    if found is None:
        assert not valid
        return
    nearest = min(
        valid, key=lambda cell: (plain_distance(space, assignment, cell), space.index.rank(cell))
    )
    assert found == nearest
    assert distance(space, assignment, found) == plain_distance(space, assignment, found)
    if assignment in valid:
        assert found == assignment


AXES = {
    "width": {"int": [8, 40]},
    "shortcut.kind": {"choice": ["projection", "identity"]},
    "stages.0.units": {"int": [1, 4]},
}


def test_one_long_step_is_nearer_than_two_short_ones():
    space = space_of(AXES, constraints={"params": {"max": 20_000}})
    start = {"width": 24, "shortcut.kind": "projection", "stages.0.units": 4}
    widths = [w for w in range(8, 41) if space.is_valid({**start, "width": w})]
    found = repair(space, start)
    assert found == {**start, "width": max(widths)}
    near = distance(space, start, found)
    assert near == (1, Fraction(24 - max(widths), 32))
    other = {**start, "width": max(widths) + 1, "stages.0.units": 3}
    scaled = {axis.name: axis.high - axis.low for axis in space.axes}
    assert scaled == {"width": 32, "shortcut.kind": 0, "stages.0.units": 3}
    assert space.is_valid(other)
    assert distance(space, start, other) == (2, near[1] - Fraction(1, 32) + Fraction(1, 3))


def test_a_short_step_is_nearer_than_another_kind():
    axes = {"unit.kind": {"choice": ["basic", "bottleneck"]}, "width": {"int": [8, 40]}}
    space = space_of(axes, constraints={"params": {"max": 45_000}})
    start = {"unit.kind": "bottleneck", "width": 20}
    assert not space.is_valid(start)
    assert space.is_valid({**start, "unit.kind": "basic"})
    assert repair(space, start) == {"unit.kind": "bottleneck", "width": 19}


def test_only_so_many_cells_are_looked_at():
    space = space_of(AXES, constraints={"params": {"max": 20_000}})
    start = {"width": 24, "shortcut.kind": "projection", "stages.0.units": 1}
    assert repair(space, start, limit=1) is None
    assert repair(space, start, limit=1000) is not None


def test_huge_axes_are_not_listed():
    space = space_of({"width": {"int": [1, 10**15]}}, constraints={"params": {"max": 20_000}})
    found = repair(space, {"width": 900})
    assert found is not None
    assert space.is_valid(found)
    assert not space.is_valid({"width": found["width"] + 1})
    assert repair(space, {"width": 10**15}, limit=500) is None  # all too wide
    assert repair(space, {"width": 12.4}) == {"width": 12}
    assert repair(space, {"width": -3}) == {"width": 1}


def test_continuous_axes_stay_or_move_along_their_grid():
    axes = {
        "widening": {"choice": {"additive": {"widening": {"kind": "additive", "alpha": 1}}}},
        "widening.alpha": {"float": [0.0, 640.0]},
        "dropout": {"float": [0.001, 0.1], "log": True},
    }
    space = space_of(axes, constraints={"params": {"max": 30_000}})
    start = {"widening": "additive", "widening.alpha": 555.5, "dropout": 0.0123}
    found = repair(space, start)
    assert found["dropout"] == 0.0123
    assert found["widening.alpha"] % 10 == 0
    assert space.is_valid(found)
    assert not space.is_valid({**found, "widening.alpha": found["widening.alpha"] + 10})
    assert repair(space, {**found, "dropout": 0.5})["dropout"] == 0.1
    assert repair(space, {"widening": "additive", "widening.alpha": 10.5}) == {
        "widening": "additive", "widening.alpha": 10.5, "dropout": 0.001}  # fmt: skip


def test_an_axis_of_another_space_is_refused():
    with pytest.raises(SpecError, match=r"axes\.widht = 8: no such axis; did you mean 'width'"):
        repair(space_of(AXES), {"widht": 8})


def exact(width, cardinality):
    unit = {"kind": "bottleneck", "cardinality": cardinality, "inner_rounding": "exact"}
    return Genome.parse({**load_genome("resnet-20").document(), "width": width, "unit": unit})


@pytest.mark.parametrize(
    ("width", "cardinality", "path", "found"),
    [
        (21, 4, "width", 20),
        (22, 4, "width", 24),  # of 20 and 24 the larger
        (24, 4, "width", 24),
        (21, 4, "unit.cardinality", 3),
    ],
)
def test_the_nearest_legal_genome_moves_one_number(width, cardinality, path, found):
    genome = nearest_legal(exact(width, cardinality), path)
    lower(genome)
    assert (genome.width if path == "width" else genome.unit.cardinality) == found


def test_a_number_out_of_reach_is_not_found():
    with pytest.raises(GenomeError):
        lower(exact(50, 100))
    assert nearest_legal(exact(50, 100), "width", reach=49) is None
    assert nearest_legal(exact(50, 100), "width", reach=50).width == 100


@pytest.mark.parametrize("path", ["widht", "unit.kind", "norm.eps", "stages.9.units", "se.ratio"])
def test_only_whole_numbers_are_moved(path):
    with pytest.raises(SpecError):
        nearest_legal(exact(20, 4), path)
