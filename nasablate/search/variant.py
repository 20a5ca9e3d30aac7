"""A base genome and recipe with some edits applied, resolved as far as needs no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from nasablate.blueprint import Cost, cost, digest, lower
from nasablate.errors import GenomeError, Problem, SpecError
from nasablate.genome import Genome, Recipe
from nasablate.genome.edits import check_path, path_of_key, split_path
from nasablate.search.edited import EditedRecords, Key, Part, key_of

if TYPE_CHECKING:
    from nasablate.data import DataInfo

TRAINING = "training."
"""Paths that begin so belong to the recipe."""
_OF_THE_DATA = ("input", "classes")
_MOST_COSTS = 200_000


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


def on_large_enough(genome: Genome, info: "DataInfo") -> Genome:
    """Return the genome on the data set, as `on_data` does.

    Raises:
        GenomeError: its images are too small for the network; the message names a size that is
            not, where the genome's own input or less is such a size.
    """
    fitted = on_data(genome, info)
    try:
        lower(fitted)
    except GenomeError:
        low, high = max(info.height, info.width), max(genome.input.height, genome.input.width)
        if high <= low or not _is_network_at(fitted, high):
            raise
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _is_network_at(fitted, middle) else (middle, high)
        size = f"{info.height} x {info.width}"
        rule = f"images of {info.name} are too small for this network, which needs {high} x {high}"
        remedy = f"scale them with --size {high} (in files data: {{size: {high}}}), or stride less"
        raise GenomeError(Problem("input", size, rule, remedy)) from None
    return fitted


def _is_network_at(genome: Genome, size: int) -> bool:
    shape = {"channels": genome.input.channels, "height": size, "width": size}
    try:
        lower(Genome.parse({**genome.document(), "input": shape}))
    except GenomeError:
        return False
    return True


def check_edit_path(path: str) -> None:
    """Refuse a path that exists in no genome or, after ``training.``, in no recipe.

    Raises:
        SpecError: names the nearest existing key, or the path is for the data set to say.
    """
    first = split_path(path)[0]
    if first in _OF_THE_DATA:
        rule = f"{first} of the networks is what the data set has"
        raise SpecError(Problem(path, path, rule, "change it with data: {name: ..., size: ...}"))
    if path.startswith(TRAINING):
        check_path(Recipe, path.removeprefix(TRAINING))
        return
    try:
        check_path(Genome, path)
    except SpecError as error:
        inside = "" if path_of_key(Genome, str(first)) else path_of_key(Recipe, str(first))
        if not inside:
            raise
        remedy = f"did you mean '{TRAINING}{inside}'?"
        raise SpecError(replace(error.problems[0], remedy=remedy)) from None


def vary(genome: Genome, recipe: Recipe, edits: Mapping[str, JsonValue]) -> Variant:
    """Apply edits by dotted path and resolve the result.

    Raises:
        GenomeError: the edited genome describes no legal network.
        SpecError: a value breaks a rule of the genome or the recipe.
    """
    return Variants(genome, recipe).vary(edits)


class Variants:
    """A base genome and recipe under many edits, as the cells of a space need them.

    Equal edits are parsed once, and the cost of equal genomes is counted once.
    """

    def __init__(self, genome: Genome, recipe: Recipe) -> None:
        self._genomes = EditedRecords(genome)
        self._recipes = EditedRecords(recipe)
        self._costs: dict[Key, Cost | None] = {}

    def vary(self, edits: Mapping[str, JsonValue]) -> Variant:
        """Apply edits by dotted path and resolve the result; raises as the function `vary`."""
        own, training = _split(edits)
        genome = self._genomes.edited(own)
        recipe = self._recipes.edited(training)
        blueprint = lower(genome.record)
        return Variant(
            genome=genome.record,
            recipe=recipe.record,
            network_digest=digest(blueprint),
            recipe_digest=recipe.record.digest(),
            cost=cost(blueprint),
            ignored=genome.ignored + tuple(f"{TRAINING}{path}" for path in recipe.ignored),
        )

    def cost(self, edits: Mapping[str, JsonValue]) -> Cost | None:
        """Return the cost of the edited network, None if it is no legal one.

        Edits of the recipe are passed over. This is quicker than `vary`.
        """
        own, _ = _split(edits)
        parts = self._genomes.parts(own)
        if parts is None:
            return self._resolved(own, parts)
        key = key_of(parts)
        if key not in self._costs:
            if len(self._costs) >= _MOST_COSTS:
                self._costs.clear()
            self._costs[key] = self._resolved(own, parts)
        return self._costs[key]

    def has_recipe(self, edits: Mapping[str, JsonValue]) -> bool:
        """Tell whether the edited recipe is legal; edits of the genome are passed over."""
        _, training = _split(edits)
        try:
            self._recipes.edited(training)
        except SpecError:
            return False
        return True

    def _resolved(self, own: dict[str, JsonValue], parts: list[Part] | None) -> Cost | None:
        try:
            return cost(lower(self._genomes.joined(own, parts).record))
        except SpecError:
            return None


def _split(edits: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return the edits of the genome and those of the recipe."""
    own = {path: value for path, value in edits.items() if not path.startswith(TRAINING)}
    training = {
        path.removeprefix(TRAINING): value for path, value in edits.items() if path not in own
    }
    return own, training
