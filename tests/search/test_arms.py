import pytest

from nasablate.data import load_info
from nasablate.errors import SpecError
from nasablate.genome import AblationSpec, DataSpec, Genome, load_recipe
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
        ({"direction": "both"}, "direction belongs to design: path; drop it"),
        ({"resolution": 4}, "resolution belongs to design: fractional; drop it"),
        ({"design": "fractional"}, "design fractional needs a resolution; 3, 4 or 5"),
        ({"design": "fractional", "resolution": 6}, "resolution = 6"),
        ({"match_mode": "both"}, "match_mode needs match"),
        ({"match": {"prams": "1%"}}, "did you mean 'params'?"),
        ({"pilot": {}}, "a pilot is {sd: 0.3} or the path of a records.csv; give one of them"),
        ({"pilot": {"sd": 0.3, "records": "a.csv"}}, "give one of them"),
        ({"pilot": {"sd": -1}}, "pilot.sd = -1: must be greater than 0"),
        ({"pilot": 3}, "pilot = 3: must be an object"),
        (
            {"reported": [{"arm": {"widht": "8"}, "source": "x"}]},
            "reported[0].arm names no factor: 'widht'; did you mean 'width'?",
        ),
        (
            {"reported": [{"arm": {"width": "13"}, "source": "x"}]},
            "reported[0].arm names no level of width: '13'",
        ),
        (
            {"reported": [{"arm": "x", "source": "x", "value": 101}]},
            "reported[0].value = 101: must be less than or equal to 100",
        ),
        (
            {"reported": [{"arm": "x", "source": "x", "protocol": {"training": {"epoch": 3}}}]},
            "protocol has epoch: no such key in a recipe; did you mean 'epochs'?",
        ),
        (
            {"reported": [{"arm": "x", "source": "x", "protocol": {"epochs": 3}}]},
            "reported[0].protocol.epochs",
        ),
        ({"design": "path", "order": ["width"]}, "order must name each factor once"),
        ({"design": "everything"}, "design = 'everything': must be one of"),
        ({"factors": {"w": {"a": {}}}}, "factors.w = {'a': {}}: needs at least 2 item"),
        ({"match": {"params": "1"}}, "must be a percentage; write for example 1%"),
        ({"seeds": 0}, "seeds = 0"),
        ({"margin": 0.0}, "margin = 0.0"),
        ({"reported": [{"arm": "x"}]}, "reported[0].source: required key is missing"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(SpecError) as caught:
        spec_of(**changes)
    assert message in str(caught.value)


def test_a_level_may_hold_several_edits_of_network_and_training(info):
    levels = {"old": {}, "new": {"width": 12, "stem.width": 12, "training.optimizer.lr": 0.01}}
    arms = resolve_arms(spec_of(factors={"era": levels}), info).arms
    assert [arm.name for arm in arms] == ["baseline", "era=new"]
    variant = arms[1].variant
    assert (variant.genome.width, variant.genome.stem.width) == (12, 12)
    assert variant.recipe.optimizer.lr == 0.01


def test_a_reported_row_may_name_a_listed_arm():
    arms = {"wide": {"width": 16}}
    changes = {"design": "arms", "factors": {}, "arms": arms}
    spec = spec_of(**changes, reported=[{"arm": "wide", "source": "a table"}])
    assert spec.reported[0].arm == "wide"
    with pytest.raises(SpecError, match="names no arm: 'wyde'; did you mean 'wide'"):
        spec_of(**changes, reported=[{"arm": "wyde", "source": "a table"}])


def test_a_file_of_an_earlier_version_is_one_of_today():
    """What a study has stored lacks the keys that came later."""
    document = spec_of(match={"params": "5%"}, reported=[{"arm": "x", "source": "y"}]).document()
    for key in ("direction", "resolution", "accept_undecided", "match_mode", "pilot"):
        del document[key]
    for key in ("n", "std", "protocol"):
        del document["reported"][0][key]
    assert AblationSpec.parse(document).document() == {
        **spec_of(match={"params": "5%"}, reported=[{"arm": "x", "source": "y"}]).document()
    }
