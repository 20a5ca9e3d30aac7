import pytest

from nasablate.genome import load_recipe, recipe_presets

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
