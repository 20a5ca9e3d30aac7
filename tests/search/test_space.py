import random

import pytest

from nasablate.data import load_info
from nasablate.errors import GenomeError, SpecError
from nasablate.genome import DataSpec, Genome, SearchSpec, load_recipe
from nasablate.search.plan import plan_search
from nasablate.search.space import load_space

AXES = {
    "placement": {"choice": ["original", "preactivation"]},
    "head.tail": {"choice": [["bn", "relu"]], "when": {"placement": "preactivation"}},
    "unit.kind": {"choice": ["basic", "bottleneck"]},
    "unit.cardinality": {"choice": [1, 2, 4], "when": {"unit.kind": "bottleneck"}},
    "schedule": {
        "choice": {
            "step": {"widening": {"kind": "step"}},
            "add": {"widening": {"kind": "additive", "alpha": 24}, "width": 12},
        }
    },
    "stages.*.units": {"int": [1, 3]},
}


def spec_of(**changes):
    base = {"stages": [{"units": 1}, {"units": 1, "stride": 2}], "width": 8}
    document = {
        "kind": "search", "name": "try", "base": base, "axes": AXES, "data": "digits",
        "trials": 4, **changes,
    }  # fmt: skip
    spec = SearchSpec.parse(document)
    genome = Genome.parse({"kind": "genome", **spec.base})
    recipe = load_recipe(spec.training)
    return spec.model_copy(update={"base": genome.document(), "training": recipe.document()})


@pytest.fixture(scope="module")
def info():
    return load_info(DataSpec(name="digits"))


@pytest.fixture(scope="module")
def space(info):
    return load_space(spec_of(), info)


def test_cells_are_counted_without_walking_them_and_each_comes_once(space):
    cells = [tuple(sorted(cell.items(), key=str)) for cell in space.cells()]
    assert space.num_cells == len(cells) == len(set(cells)) == 2 * (1 + 3) * 2 * 3


def test_axes_exist_only_under_their_condition(space):
    for cell in space.cells():
        assert ("unit.cardinality" in cell) == (cell["unit.kind"] == "bottleneck")
        assert ("head.tail" in cell) == (cell["placement"] == "preactivation")


def test_a_cell_becomes_the_genome_it_describes(space):
    cell = {
        "placement": "preactivation", "head.tail": '["bn", "relu"]', "unit.kind": "bottleneck",
        "unit.cardinality": 4, "schedule": "add", "stages.*.units": 2,
    }  # fmt: skip
    candidate = space.candidate(cell)
    genome = candidate.genome
    assert [stage.units for stage in genome.stages] == [2, 2]
    assert (genome.unit.kind, genome.unit.cardinality) == ("bottleneck", 4)
    assert (genome.widening.kind, genome.widening.alpha, genome.width) == ("additive", 24, 12)
    assert genome.head.tail == ("bn", "relu")
    assert (genome.input.channels, genome.input.height, genome.classes) == (1, 8, 10)


def test_random_cells_are_cells_and_reach_every_value(space):
    rng = random.Random(1)
    known = {tuple(sorted(cell.items(), key=str)) for cell in space.cells()}
    drawn = {tuple(sorted(space.random(rng).items(), key=str)) for _ in range(600)}
    assert drawn == known


def test_axes_without_effect_collapse_to_one_network(info):
    axes = {
        "unit.kind": {"choice": ["basic", "bottleneck"]},
        "unit.cardinality": {"choice": [1, 2]},
    }
    space = load_space(spec_of(axes=axes), info)
    candidates = [space.candidate(cell) for cell in space.cells()]
    assert len(candidates) == 4
    assert len({candidate.network_digest for candidate in candidates}) == 3
    assert [c.ignored for c in candidates[:2]] == [("unit.cardinality",)] * 2


def test_recipe_axes_change_the_recipe_and_not_the_network(info):
    axes = {"training.optimizer.lr": {"float": [0.01, 0.1], "log": True}}
    space = load_space(spec_of(axes=axes), info)
    one, other = (space.candidate({"training.optimizer.lr": lr}) for lr in (0.02, 0.03))
    assert one.recipe.optimizer.lr == 0.02
    assert one.network_digest == other.network_digest
    assert one.recipe_digest != other.recipe_digest
    assert space.num_cells is None


def test_limits_are_judged_from_exact_cost(info):
    full = load_space(spec_of(), info)
    sizes = sorted(full.candidate(cell).cost.params for cell in full.cells())
    limit = sizes[len(sizes) // 2]
    space = load_space(spec_of(constraints={"params": {"max": limit}}), info)
    for cell in space.cells():
        candidate = space.candidate(cell)
        assert bool(candidate.violations) == (candidate.cost.params > limit)


def test_int_axes_include_both_ends_and_float_axes_their_grid(info):
    axes = {
        "width": {"int": [8, 16], "step": 4},
        "drop_path.final": {"float": [0.0, 0.3], "step": 0.1},
    }
    space = load_space(spec_of(axes=axes), info)
    width, drop = space.axes
    assert tuple(width.values()) == (8, 12, 16)
    assert drop.values() == pytest.approx((0.0, 0.1, 0.2, 0.3))


def test_logarithmic_axes_stay_inside_their_range_and_reach_its_ends(info):
    axes = {"width": {"int": [4, 64], "log": True}}
    space = load_space(spec_of(axes=axes), info)
    rng = random.Random(2)
    drawn = [space.axes[0].draw(rng) for _ in range(4000)]
    assert (min(drawn), max(drawn)) == (4, 64)
    assert sum(value <= 16 for value in drawn) / 4000 == pytest.approx(0.5, abs=0.05)


def test_conditions_may_come_before_the_axis_they_speak_of(info):
    axes = {
        "unit.cardinality": {"choice": [1, 2], "when": {"unit.kind": ["bottleneck"]}},
        "unit.kind": {"choice": ["basic", "bottleneck"]},
    }
    assert load_space(spec_of(axes=axes), info).num_cells == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": {"unit.knd": {"choice": [1]}}}, "axes.unit.knd = 'knd': no such key in unit;"),
        ({"axes": {"a": {"choice": {"x": {"widht": 3}}}}}, "did you mean 'width'?"),
        ({"axes": {"widening.alpha": {"int": [1, 4]}}}, "changes nothing in any cell"),
        ({"axes": {"unit.cardinality": {"choice": [1, 2]}}}, "changes nothing in any cell"),
        ({"axes": {"unit.kind": {"choice": ["basic", "dense"]}}}, "axes.unit.kind = 'dense'"),
        ({"axes": {"width": {"int": [0, 4]}}}, "axes.width = 0: must be greater"),
        ({"axes": {"width": {"choice": [8, 8]}}}, "the value is listed twice"),
        ({"axes": {"stages.7.units": {"int": [1, 2]}}}, "the list has 2 items"),
        ({"axes": {"width": {"choice": [8], "when": {"unit.knd": "basic"}}}}, "names no other"),
        (
            {
                "axes": {
                    "unit.kind": {"choice": ["basic", "bottleneck"]},
                    "width": {"choice": [8, 9], "when": {"unit.kind": "botleneck"}},
                }
            },
            "never has this value; did you mean 'bottleneck'?",
        ),
        (
            {
                "axes": {
                    "unit.kind": {"choice": ["basic"], "when": {"width": 8}},
                    "width": {"choice": [8], "when": {"unit.kind": "basic"}},
                }
            },
            "conditions form a circle",
        ),
        ({"constraints": {"params": {"max": "1k"}}}, "legal cells fits the constraints; for exam"),
        (
            {
                "axes": {
                    "unit": {
                        "choice": [
                            {"kind": "bottleneck", "cardinality": 3, "inner_rounding": "exact"}
                        ]
                    }
                }
            },
            "width = 8: inner width must be divisible by cardinality = 3; nearest: 6 or 9",
        ),
        ({"axes": {"training.lr": {"float": [0.1, 0.2]}}}, "no such key in a recipe"),
    ],
)
def test_a_space_that_cannot_work_is_refused(info, changes, message):
    with pytest.raises(SpecError) as caught:
        load_space(spec_of(**changes), info)
    assert message in str(caught.value)


def test_an_illegal_cell_is_an_error_of_the_genome(info):
    axes = {"shortcut.kind": {"choice": ["projection", "identity"]}}
    space = load_space(spec_of(axes=axes), info)
    with pytest.raises(GenomeError, match="identity keeps the shape"):
        space.candidate({"shortcut.kind": "identity"})


def test_a_plan_counts_cells_networks_and_limits_exactly_when_it_can():
    plan = plan_search(spec_of(trials=100), measure=False)
    cells = plan.cells
    assert (cells.num_cells, cells.legal.percent, cells.valid.exact) == (48, 100.0, True)
    assert plan.num_networks == 48
    assert any("100 asked, but the space has 48" in warning for warning in plan.warnings)
    assert plan.hours is None


def test_a_plan_of_an_infinite_space_gives_its_shares_with_intervals():
    axes = {**AXES, "training.optimizer.lr": {"float": [0.01, 0.1]}}
    full = plan_search(spec_of(axes=axes), measure=False)
    limit = (full.params[0] + full.params[1]) // 8
    plan = plan_search(spec_of(axes=axes, constraints={"params": {"max": limit}}), measure=False)
    assert (plan.cells.num_cells, plan.cells.num_valid) == (None, None)
    share = plan.cells.valid
    assert not share.exact
    assert share.low < share.percent < share.high < 100


def test_halving_saves_the_epochs_its_rungs_say():
    """Rungs at 2 and 6 of 12 epochs, factor 3: 2 + 4/3 + 6/9."""
    spec = spec_of(
        scheduler={"name": "halving", "min_epochs": 2, "factor": 3},
        training={"recipe": "quick", "epochs": 12},
    )
    assert plan_search(spec, measure=False).expected_epochs == pytest.approx(4.0)
