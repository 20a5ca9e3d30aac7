import pytest

from nasablate.blueprint import lower
from nasablate.genome import Recipe, load_genome, load_recipe, recipe_presets
from nasablate.genome.optimizer import AdamW
from nasablate.nets.last_norm import last_norm
from nasablate.search.variant import vary
from nasablate.training.schedule import learning_rate

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


SAID: dict[str, tuple[int, int, float, float, list[int]]] = {
    # epochs, images per step, rate, weight decay, epochs after which a step schedule drops
    "pyramidnet-cifar100": (300, 128, 0.5, 1e-4, [150, 225]),
    "pyramidnet-imagenet": (100, 128, 0.05, 1e-4, [30, 60, 90]),
    "resnet-cifar-deep": (164, 128, 0.1, 1e-4, [82, 123]),
    "resnet-cifar-torch": (164, 128, 0.1, 1e-4, [81, 122]),
    "resnet-cifar-akamaster": (200, 128, 0.1, 1e-4, [100, 150]),
    "cifar100-weiaicunzai": (200, 128, 0.1, 5e-4, [60, 120, 160]),
    "resnet-imagenet": (120, 256, 0.1, 1e-4, []),
    "resnet-imagenet-torch": (90, 256, 0.1, 1e-4, [30, 60]),
    "preactresnet-cifar": (164, 128, 0.1, 1e-4, [82, 123]),
    "wrn-svhn": (160, 128, 0.01, 5e-4, [80, 120]),
    "resnext-imagenet": (100, 256, 0.1, 1e-4, [30, 60, 90]),
    "resnext-cifar": (300, 128, 0.1, 5e-4, [150, 225]),
    "senet-imagenet": (100, 1024, 0.6, 1e-4, [30, 60, 90]),
    "res2net-imagenet": (100, 256, 0.1, 1e-4, [30, 60, 90]),
    "resnest-imagenet": (270, 8192, 3.2, 1e-4, []),
    "rexnet-imagenet": (400, 512, 0.5, 1e-5, []),
    "stochastic-depth-cifar": (500, 128, 0.1, 1e-4, [250, 375]),
    "stochastic-depth-svhn": (50, 128, 0.1, 1e-4, [30, 35]),
    "vgg-imagenet": (74, 256, 0.01, 5e-4, []),
    "alexnet-imagenet": (90, 128, 0.01, 5e-4, []),
    "googlenet-imagenet-bvlc": (60, 32, 0.01, 2e-4, []),
    "inception-v3-imagenet": (100, 1600, 0.045, 0.0, []),
}


@pytest.mark.parametrize("name", SAID)
def test_further_recipes_say_what_their_sources_say(name: str) -> None:
    recipe = load_recipe(name)
    optimizer = recipe.optimizer
    seen = (
        recipe.epochs,
        recipe.batch_size * recipe.accumulate,
        optimizer.lr,
        optimizer.weight_decay,
    )
    assert seen == SAID[name][:4]
    steps = 7
    settled = range(6, recipe.epochs)  # after any warm-up
    if recipe.schedule.kind == "step":
        rates = [learning_rate(recipe, epoch * steps, steps) for epoch in settled]
        drops = [e for e, a, b in zip(settled[1:], rates, rates[1:], strict=False) if a != b]
        assert drops == SAID[name][4]


JUDGED: dict[str, tuple[int, int, tuple[int, ...], tuple[int, int, int] | None]] = {
    # crops, size, sides; and in training the crop's size, least and greatest side
    "alexnet-imagenet": (10, 227, (256,), (227, 256, 256)),
    "vgg-imagenet": (50, 224, (256, 384, 512), (224, 256, 512)),
    "resnet-imagenet": (10, 224, (256,), (224, 256, 480)),
    "googlenet-imagenet-bvlc": (1, 224, (256,), (224, 256, 256)),
    "resnet-imagenet-torch": (1, 224, (256,), None),
    "resnext-imagenet": (1, 224, (256,), None),
    "senet-imagenet": (1, 224, (256,), None),
}


@pytest.mark.parametrize("name", [*ALL, *SAID])
def test_recipes_cut_and_judge_pictures_as_their_sources_say(name: str) -> None:
    recipe = load_recipe(name)
    crop, evaluation = recipe.augmentation.crop, recipe.evaluation
    if name not in JUDGED:
        assert (crop, evaluation) == (None, None)
        return
    assert evaluation is not None
    cut = None if crop is None else (crop.size, crop.min_side, crop.max_side)
    seen = (evaluation.crops, evaluation.size, evaluation.sides, cut)
    assert seen == JUDGED[name]
    assert evaluation.average == "probabilities"


def test_every_recipe_is_checked_against_its_source() -> None:
    ours = {name for name in recipe_presets() if load_recipe(name).source.startswith("ours")}
    assert {*ALL, *SAID, *ours} == set(recipe_presets())
    assert all(name.startswith("fast-") or name == "quick" for name in ours)


def test_networks_of_recipes_with_zeroed_norms_have_them() -> None:
    parts = lower(load_genome("resnest-50")).parts
    residual = [part.fragment for part in parts if part.fragment.merge is not None]
    assert len(residual) == 16
    assert all(last_norm(fragment) for fragment in residual)
