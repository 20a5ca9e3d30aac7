"""What cog writes into docs/recipes.md: the recipes that come with nasablate."""

from collections.abc import Iterator

from nasablate.genome import Recipe, load_recipe, recipe_presets
from nasablate.genome.optimizer import AdamW, RmsProp, Sgd
from nasablate.genome.schedule import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    PlateauSchedule,
    PolynomialSchedule,
    StepSchedule,
)


def table() -> str:
    """Return one row per recipe."""
    rows = [
        "| recipe | epochs | batch | optimizer | schedule | images | also | source |",
        "| --- | ---: | ---: | --- | --- | --- | --- | --- |",
    ]
    for name in recipe_presets():
        recipe = load_recipe(name)
        batch = f"{recipe.batch_size}"
        if recipe.accumulate > 1:
            batch += f" x {recipe.accumulate}"
        cells = (
            f"`{name}`",
            str(recipe.epochs),
            batch,
            _optimizer(recipe),
            _schedule(recipe),
            ", ".join(_images(recipe)) or "as they are",
            ", ".join(_also(recipe)),
            recipe.source,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _optimizer(recipe: Recipe) -> str:
    spec = recipe.optimizer
    decay = f"decay {spec.weight_decay:g}" + (
        "" if spec.decay_norm_and_bias else " (not of norms and biases)"
    )
    match spec:
        case Sgd():
            momentum = f"{'Nesterov' if spec.nesterov else 'momentum'} {spec.momentum:g}"
            return f"SGD {spec.lr:g}, {momentum}, {decay}"
        case AdamW():
            return f"AdamW {spec.lr:g}, {decay}"
        case RmsProp():
            return f"RMSProp {spec.lr:g}, mean square {spec.alpha:g}, epsilon {spec.eps:g}, {decay}"


def _schedule(recipe: Recipe) -> str:  # noqa: PLR0911 - one case per kind
    match recipe.schedule:
        case StepSchedule() as spec:
            points = ", ".join(f"{point * recipe.epochs:g}" for point in spec.milestones)
            return f"x {spec.gamma:g} after {points}"
        case ExponentialSchedule() as spec:
            return f"x {spec.gamma:g} every {spec.every}"
        case CosineSchedule():
            return "cosine"
        case PolynomialSchedule() as spec:
            return f"polynomial, power {spec.power:g}"
        case OneCycleSchedule() as spec:
            return f"one cycle, peak at {spec.peak:g}"
        case PlateauSchedule() as spec:
            return f"x {spec.factor:g} on a plateau of {spec.patience}"
        case ConstantSchedule():
            return "constant"


def _images(recipe: Recipe) -> Iterator[str]:
    spec = recipe.augmentation
    if spec.pad:
        yield f"pad {spec.pad} ({spec.pad_mode}) and crop"
    if spec.crop is not None:
        sides = _range(str(spec.crop.min_side), str(spec.crop.max_side))
        yield f"crop {spec.crop.size} of {sides}"
    if spec.resized_crop is not None:
        crop = spec.resized_crop
        areas = _range(f"{crop.min_area:.0%}", f"{crop.max_area:.0%}")
        yield f"crop {areas}{', aspect' if crop.max_aspect > 1 else ''}"
    if spec.flip:
        yield "flip"
    if spec.policy is not None:
        yield spec.policy.kind.replace("_", " ")
    for name in ("colour_jitter", "lighting", "cutout", "erasing", "mixup", "cutmix"):
        if getattr(spec, name):
            yield name.replace("_", " ")


def _range(least: str, most: str) -> str:
    return least if least == most else f"{least} to {most}"


def _also(recipe: Recipe) -> Iterator[str]:
    if recipe.warmup.epochs:
        yield f"warm-up {recipe.warmup.epochs:g}, {recipe.warmup.shape}"
    if recipe.label_smoothing:
        yield f"label smoothing {recipe.label_smoothing:g}"
    if recipe.clip is not None:
        yield f"gradients clipped at {recipe.clip.kind} {recipe.clip.max:g}"
    if recipe.average is not None:
        yield f"averaged weights {recipe.average.decay:g}"
    if recipe.zero_last_norm:
        yield "last norms start at 0"
    yield recipe.init.replace("_", " ")
    yield from _start_and_end(recipe)


def _start_and_end(recipe: Recipe) -> Iterator[str]:
    if recipe.biases is not None:
        layers = ", ".join(map(str, recipe.biases.layers))
        yield f"biases {recipe.biases.value:g} in layers {layers}"
    if recipe.evaluation is not None:
        spec = recipe.evaluation
        crops = "1 crop" if spec.crops == 1 else f"{spec.crops} crops"
        sides = ", ".join(map(str, spec.sides))
        yield f"judged by {crops} of {spec.size} from {sides}"
