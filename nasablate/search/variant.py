"""A base genome and recipe with some edits applied, resolved as far as needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from nasablate.blueprint import Cost, cost, digest, lower
from nasablate.genome import Genome, Recipe
from nasablate.genome.edits import apply_edits, check_path

if TYPE_CHECKING:
    from nasablate.data import DataInfo

TRAINING = "training."
"""Paths that begin so belong to the recipe."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One network and how it is trained."""

    genome: Genome
    recipe: Recipe
    network_digest: str
    recipe_digest: str
    cost: Cost
    ignored: tuple[str, ...]
    """Paths that changed nothing, since no variant there owns them."""


def on_data(genome: Genome, info: "DataInfo") -> Genome:
    """Return the genome with the data set's input and classes, and without labels."""
    shape = {"channels": info.channels, "height": info.height, "width": info.width}
    labels = {"name": "", "source": ""}
    return Genome.parse({**genome.document(), "input": shape, "classes": info.classes, **labels})


def check_edit_path(path: str) -> None:
    """Refuse a path that exists in no genome or, after ``training.``, in no recipe.

    Raises:
        SpecError: names the nearest existing key.
    """
    model = Recipe if path.startswith(TRAINING) else Genome
    check_path(model, path.removeprefix(TRAINING))


def vary(genome: Genome, recipe: Recipe, edits: Mapping[str, JsonValue]) -> Variant:
    """Apply edits by dotted path and resolve the result.

    Raises:
        GenomeError: the edited genome describes no legal network.
        SpecError: a value breaks a rule of the genome or the recipe.
    """
    own = {path: value for path, value in edits.items() if not path.startswith(TRAINING)}
    training = {
        path.removeprefix(TRAINING): value for path, value in edits.items() if path not in own
    }
    document, ignored = apply_edits(Genome, genome.document(), own)
    changed = Genome.parse(document)
    if training:
        recipe_document, idle = apply_edits(Recipe, recipe.document(), training)
        recipe = Recipe.parse(recipe_document)
        ignored += tuple(f"{TRAINING}{path}" for path in idle)
    blueprint = lower(changed)
    return Variant(
        genome=changed,
        recipe=recipe,
        network_digest=digest(blueprint),
        recipe_digest=recipe.digest(),
        cost=cost(blueprint),
        ignored=ignored,
    )
