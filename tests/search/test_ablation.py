import pytest

from nasablate.errors import StoreError
from nasablate.genome import AblationSpec, Genome, load_recipe
from nasablate.search.ablation import run_ablation
from nasablate.store import open_database

pytestmark = pytest.mark.slow


def spec_of(**changes):
    baseline = {"stages": [{"units": 1, "stride": 2}], "width": 4, "stem": {"kind": "conv3x3",
                "width": 4}}  # fmt: skip
    document = {
        "kind": "ablation", "name": "try", "baseline": baseline,
        "factors": {"width": {"4": {}, "6": {"width": 6}}, "act": {"relu": {}, "silu":
                    {"activation": "silu"}}},
        "design": "one_at_a_time", "seeds": 2, "accept_undecided": True, "data": "digits",
        "training": {"recipe": "quick", "epochs": 1, "batch_size": 128}, **changes,
    }  # fmt: skip
    spec = AblationSpec.parse(document)
    genome = Genome.parse({"kind": "genome", **spec.baseline})
    recipe = load_recipe(spec.training)
    update = {"baseline": genome.document(), "training": recipe.document()}
    return spec.model_copy(update=update)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/runs/a.db"


def errors(result):
    return {arm.name: dict(arm.errors) for arm in result.arms}


def test_every_arm_on_every_seed_and_again_without_training(url):
    result = run_ablation(spec_of(), url, "inline")
    assert result.is_complete
    assert {arm.name: len(arm.errors) for arm in result.arms} == {
        "baseline": 2, "width=6": 2, "act=silu": 2,
    }  # fmt: skip
    assert {arm.verdict for arm in result.arms[1:]} == {"undecided"}
    assert errors(run_ablation(spec_of(), url, "inline")) == errors(result)
    rows = open_database(url).study("try").trials()
    assert [row.params["replicate"] for row in rows] == [0, 0, 0, 1, 1, 1]
    assert {row.attributes["seed"] for row in rows} == {0, 1}
    assert {row.attributes["trainings"] for row in rows} == {2}


def test_more_seeds_train_only_what_is_missing(url):
    before = errors(run_ablation(spec_of(), url, "inline"))
    after = errors(run_ablation(spec_of(seeds=3), url, "inline"))
    assert {name: {r: e for r, e in found.items() if r < 2} for name, found in after.items()} == (
        before
    )
    assert len(open_database(url).study("try").trials()) == 9


def test_another_margin_or_fewer_seeds_are_another_study(url):
    run_ablation(spec_of(), url, "inline")
    for changes in ({"margin": 0.5}, {"seeds": 1}):
        with pytest.raises(StoreError, match="began with another file"):
            run_ablation(spec_of(**changes), url, "inline")


def test_the_test_set_is_read_once_per_network_after_all_are_trained(url):
    spec = spec_of(evaluate="test")
    result = run_ablation(spec, url, "inline")
    readings = open_database(url).study("try").test_readings()
    assert len(readings) == 6
    assert {reading.purpose for reading in readings} == {"arm of an ablation, at its last epoch"}
    assert {reading.num_images for reading in readings} == {359}
    assert errors(run_ablation(spec, url, "inline")) == errors(result)
    assert len(open_database(url).study("try").test_readings()) == 6


def test_an_arm_that_diverges_is_missing_and_decides_nothing(url):
    factors = {"lr": {"0.1": {}, "huge": {"training.optimizer.lr": 1e30}}}
    result = run_ablation(spec_of(factors=factors), url, "inline")
    assert not result.is_complete
    assert [len(arm.errors) for arm in result.arms] == [2, 0]
    assert result.arms[1].verdict == "undecided"
    assert len(result.failures) == 2
    assert "lr=huge, replicate 0" in result.failures[0]
