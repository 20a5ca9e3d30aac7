import pytest

from nasablate.genome import Recipe, load_genome, load_recipe, recipe_presets
from nasablate.genome.optimizer import AdamW
from nasablate.search.variant import vary

ALL = {
    #                    epochs batch lr   nesterov decay  pad mode      flip  init
    "pyramidnet-cifar": (300, 128, 0.1, True, 1e-4, 4, "zero", True, "kaiming_fan_out"),
    "resnet-cifar": (164, 128, 0.1, False, 1e-4, 4, "zero", True, "kaiming_fan_in"),
    "wrn-cifar": (200, 128, 0.1, True, 5e-4, 4, "reflect", True, "kaiming_fan_in"),
}


@pytest.mark.parametrize("name", ALL)
def test_recipes_of_papers_say_what_the_papers_say(name: str) -> None:
    recipe = load_recipe(name)
    optimizer, crop = recipe.optimizer, recipe.augmentation
    assert ALL[name] == (
        recipe.epochs,
        recipe.batch_size,
        optimizer.lr,
        optimizer.nesterov,
        optimizer.weight_decay,
        crop.pad,
        crop.pad_mode,
        crop.flip,
        recipe.init,
    )
    assert optimizer.decay_norm_and_bias
    assert optimizer.momentum == 0.9


def test_every_recipe_has_its_name_and_source() -> None:
    assert {"quick", *ALL} <= set(recipe_presets())
    for name in recipe_presets():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.source


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("pyramidnet-cifar", "3ebb69e54542"),
        ("quick", "6c873771afd9"),
        ("resnet-cifar", "19e827dae232"),
        ("wrn-cifar", "60528c02184f"),
    ],
)
def test_digests_outlive_new_fields(name: str, digest: str) -> None:
    """Records of earlier studies name recipes by these."""
    assert load_recipe(name).digest().startswith(digest)


def test_a_later_field_is_in_the_digest_once_it_is_set() -> None:
    changes = ({"accumulate": 2}, {"average": {"decay": 0.9}}, {"warmup": {"shape": "constant"}})
    recipes = [load_recipe({"recipe": "quick", **change}) for change in ({}, *changes)]
    assert len({recipe.digest() for recipe in recipes}) == 4
    assert Recipe.parse(recipes[0].essential()) == recipes[0]


def test_another_kind_of_optimizer_brings_its_own_rate() -> None:
    quick = load_recipe({"recipe": "quick", "optimizer": {"kind": "adamw"}})
    assert quick.optimizer == AdamW(decay_norm_and_bias=False)
    variant = vary(
        load_genome("resnet-20"),
        load_recipe("quick"),
        {"training.optimizer.kind": "adamw", "training.optimizer.lr": 0.004},
    )
    assert variant.recipe.optimizer.lr == 0.004
    assert variant.ignored == ()
    ignored = vary(variant.genome, variant.recipe, {"training.optimizer.nesterov": False}).ignored
    assert ignored == ("training.optimizer.nesterov",)
