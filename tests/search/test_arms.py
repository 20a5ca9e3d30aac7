import pytest

from nasablate.data import load_info
from nasablate.errors import SpecError
from nasablate.genome import AblationSpec, DataSpec, Genome, load_recipe
from nasablate.search.ablation_plan import plan_ablation
from nasablate.search.arms import resolve_arms

FACTORS = {
    "first_relu": {"keep": {"placement.pre": ["bn", "relu"]}, "remove": {"placement.pre": ["bn"]}},
    "final_bn": {"without": {}, "with": {"placement.post": ["bn"]}},
    "width": {"8": {}, "12": {"width": 12}},
}


def spec_of(**changes):
    baseline = {
        "stages": [{"units": 1}, {"units": 1, "stride": 2}],
        "width": 8,
        "placement": "preactivation",
        "head": {"tail": ["bn", "relu"]},
    }
    document = {
        "kind": "ablation", "name": "try", "baseline": baseline, "factors": FACTORS,
        "design": "one_at_a_time", "seeds": 7, "data": "digits", **changes,
    }  # fmt: skip
    spec = AblationSpec.parse(document)
    genome = Genome.parse({"kind": "genome", **spec.baseline})
    recipe = load_recipe(spec.training)
    update = {"baseline": genome.document(), "training": recipe.document()}
    return spec.model_copy(update=update)


@pytest.fixture(scope="module")
def info():
    return load_info(DataSpec(name="digits"))


def names(info, **changes):
    return [arm.name for arm in resolve_arms(spec_of(**changes), info).arms]


def test_one_at_a_time(info):
    assert names(info) == ["baseline", "first_relu=remove", "final_bn=with", "width=12"]


def test_leave_one_out_starts_from_all(info):
    arms = resolve_arms(spec_of(design="leave_one_out"), info).arms
    assert [arm.name for arm in arms] == [
        "all", "all but first_relu", "all but final_bn", "all but width",
    ]  # fmt: skip
    assert arms[0].variant.genome.placement.pre == ("bn",)
    assert arms[0].variant.genome.width == 12
    assert arms[3].variant.genome.width == 8


def test_a_path_adds_one_factor_at_a_time_in_the_order_given(info):
    order = ["width", "first_relu", "final_bn"]
    assert names(info, design="path", order=order) == [
        "baseline",
        "width=12",
        "width=12 + first_relu=remove",
        "width=12 + first_relu=remove + final_bn=with",
    ]


def test_a_factorial_has_every_combination_once(info):
    arms = resolve_arms(spec_of(design="factorial"), info).arms
    assert len(arms) == 8
    assert len({arm.variant.network_digest for arm in arms}) == 8
    assert arms[0].name == "baseline"
    assert arms[0].levels == {"first_relu": "keep", "final_bn": "without", "width": "8"}


def test_listed_arms_follow_the_baseline(info):
    arms = {"wide": {"width": 16}, "slow": {"training.optimizer.lr": 0.01}}
    resolved = resolve_arms(spec_of(design="arms", factors={}, arms=arms), info).arms
    assert [arm.name for arm in resolved] == ["baseline", "wide", "slow"]
    assert resolved[2].variant.recipe.optimizer.lr == 0.01
    assert resolved[2].variant.network_digest == resolved[0].variant.network_digest


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"factors": {"w": {"a": {"width": 9}, "b": {"width": 10}}}},
            "one level of a factor must leave the baseline as it is; none does",
        ),
        (
            {"factors": {"w": {"a": {}, "b": {"width": 8}}}},
            "one level of a factor must leave the baseline as it is; a and b do",
        ),
        (
            {"factors": {"w": {"a": {}, "b": {"widht": 9}}}},
            "factors.w.b.widht = 'widht': no such key in a genome; did you mean 'width'?",
        ),
        (
            {"factors": {"s": {"a": {}, "b": {"shortcut": {"kind": "identity"}}}}},
            "arm 's=b' is not possible: identity keeps the shape",
        ),
        (
            {"factors": {"w": {"a": {}, "b": {"width": 0}}}},
            "arm 'w=b' is not possible: must be greater than or equal to 1",
        ),
        (
            {"design": "arms", "factors": {}, "arms": {"same": {"unit.cardinality": 4}}},
            "arm 'same' is the same network and recipe as 'baseline'",
        ),
        ({"match": {"params": "1%"}}, "has +"),
        (
            {
                "design": "path",
                "factors": {"w": {"a": {}, "b": {"width": 9}, "c": {"width": 10}}},
            },
            "design path needs two levels in every factor, found 3",
        ),
    ],
)
def test_arms_that_cannot_work_are_refused(info, changes, message):
    with pytest.raises(SpecError) as caught:
        resolve_arms(spec_of(**changes), info)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"design": "arms"}, "design arms takes arms, not factors"),
        ({"design": "arms", "factors": {}}, "design arms needs arms"),
        ({"factors": {}}, "design one_at_a_time needs factors"),
        ({"arms": {"a": {"width": 3}}}, "arms belong to design: arms"),
        ({"order": ["width"]}, "order belongs to design: path"),
        ({"design": "path", "order": ["width"]}, "order must name each factor once"),
        ({"design": "everything"}, "design = 'everything': must be one of"),
        ({"factors": {"w": {"a": {}}}}, "factors.w = {'a': {}}: needs at least 2 item"),
        ({"match": {"params": "1"}}, "must be a percentage such as 1%"),
        ({"seeds": 0}, "seeds = 0"),
        ({"margin": 0.0}, "margin = 0.0"),
        ({"reported": [{"arm": "x"}]}, "reported[0].source: required key is missing"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(SpecError) as caught:
        spec_of(**changes)
    assert message in str(caught.value)


def test_a_plan_says_whether_the_seeds_can_answer():
    plan = plan_ablation(spec_of(seeds=6), measure=False)
    assert (plan.num_trials, plan.seeds_needed) == (24, 7)
    assert "seeds: 6 cannot give a verdict of better or worse; 7 can" in plan.text()
    assert plan_ablation(spec_of(seeds=7), measure=False).warnings == ()
