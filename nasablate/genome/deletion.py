"""The deletion file: trained networks, and what is deleted from them without training again."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    model_validator,
)

from nasablate.genome.ablation import Edits
from nasablate.genome.base import Count, SpecModel
from nasablate.genome.data_spec import DataField
from nasablate.genome.space import NAME_PATTERN, Resources

GenomeRef = str | dict[str, JsonValue]
"""A preset's name, the path of a genome file, or a genome written inline."""
TRIAL_PATTERN = NAME_PATTERN.removesuffix("$") + r"(/\d+)?$"
PairChoice = Literal["adjacent", "all"]


class TrainedHere(SpecModel):
    """A network that the study trains."""

    base: GenomeRef
    edits: Edits = Field(default_factory=dict[str, JsonValue])
    """Of the genome by dotted path, and after ``training.`` of the recipe."""


class TrainedBefore(SpecModel):
    """Networks of another study in the same database that kept their weights."""

    trained: Annotated[str, Field(pattern=TRIAL_PATTERN)]
    """``STUDY`` for all its complete trials of one network, ``STUDY/NUMBER`` for one."""
    arm: str | None = None
    """The arm of an ablation; null if all complete trials are one network."""


class FromWeights(SpecModel):
    """Networks whose weights lie in files, one per replicate."""

    genome: GenomeRef
    weights: Annotated[tuple[str, ...], Field(min_length=1)]
    """State dicts with our names, safetensors or what ``torch.load(..., weights_only=True)``
    reads, beside the file or by path; ``nasablate import-weights`` writes such."""


def _network_tag(value: object) -> str:
    if isinstance(value, TrainedBefore) or (isinstance(value, dict) and "trained" in value):
        return "trained-before"
    if isinstance(value, FromWeights) or (isinstance(value, dict) and "weights" in value):
        return "from-weights"
    return "trained-here"


def _as_base(value: object) -> object:
    """Let a preset, a file or a genome stand for the record that trains it."""
    if isinstance(value, str):
        return {"base": value}
    if isinstance(value, dict):
        found = cast("dict[str, JsonValue]", value)
        return {"base": found} if "stages" in found else found
    return value


Network = Annotated[
    Annotated[
        TrainedHere,
        BeforeValidator(_as_base, json_schema_input_type=TrainedHere | str | dict[str, JsonValue]),
        Tag("trained-here"),
    ]
    | Annotated[TrainedBefore, Tag("trained-before")]
    | Annotated[FromWeights, Tag("from-weights")],
    Discriminator(_network_tag),
]


class RandomDeletions(SpecModel):
    """Several units at once, drawn at random."""

    counts: Annotated[tuple[Count, ...], Field(min_length=1)] | Literal["all"]
    """Units deleted together; a count above the units a network can lose is left out for it.
    ``all``: from one to all that it can lose."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 10
    """Draws per count."""


class Deletions(SpecModel):
    """Which units are deleted, each time from the whole network."""

    each: bool = True
    """Every unit by itself."""
    stages: bool = False
    """All units of a stage that can be deleted together."""
    downsampling: bool = False
    """All units that make the maps smaller, together."""
    random: RandomDeletions | None = None
    pairs: PairChoice | bool = False
    """Two units at once: true or ``all`` for every pair, ``adjacent`` for neighbours."""


class Scaling(SpecModel):
    """Every unit's branch multiplied by a factor, one unit at a time."""

    factors: Annotated[tuple[Annotated[float, Field(ge=-10, le=10)], ...], Field(min_length=1)]
    """0 deletes the unit, 1 leaves it."""


class Reordering(SpecModel):
    """Units of equal shape exchanged."""

    swaps: Annotated[tuple[Count, ...], Field(min_length=1)]
    """Exchanges made one after the other, none of which undoes others."""
    repeats: Annotated[int, Field(ge=1, le=1000)] = 10
    """Draws per number of exchanges."""


class Paths(SpecModel):
    """How much gradient the paths of each length carry from the output to the input."""

    lengths: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] | None = None
    """Numbers of residual branches on a path; null takes up to 24, spread from 0 to all units."""
    samples: Annotated[int, Field(ge=1, le=1000)] = 20
    """Paths drawn per length."""
    images: Annotated[int, Field(ge=1)] = 128
    """Images of the batch whose loss is sent back."""


_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B)")
_UNITS = {"K": 1, "M": 2, "G": 3, "T": 4}


def parse_bytes(value: object) -> object:
    """Read ``2GiB`` or ``500MB`` as a number of bytes; other values pass through.

    >>> parse_bytes("2GiB"), parse_bytes("1.5kB".upper())
    (2147483648, 1500)
    """
    if not isinstance(value, str):
        return value
    found = _BYTES.fullmatch(value.strip())
    if found is None:
        message = "must be bytes, or a number with KiB, MiB or GiB such as 2GiB"
        raise ValueError(message)
    number, unit = found.groups()
    return round(float(number) * (1024 if "i" in unit else 1000) ** _UNITS[unit[0]])


def _enough_bytes(count: int) -> int:
    if not 2**20 <= count <= 2**50:
        message = "must be from 1MiB to 1024TiB"
        raise ValueError(message)
    return count


Bytes = Annotated[
    int,
    BeforeValidator(parse_bytes, json_schema_input_type=int | str),
    AfterValidator(_enough_bytes),
]


class RandomImages(SpecModel):
    """A random part of the images, as an estimate."""

    random: Annotated[int, Field(ge=2)]
    """How many; drawn once, the same for every network and deletion."""


class DeletionSpec(SpecModel):
    """Trained networks with units deleted, scaled or reordered, evaluated image by image."""

    kind: Literal["deletion"] = "deletion"
    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    question: str = ""
    networks: Annotated[dict[str, Network], Field(min_length=1)]
    """By name; the first is the one that the others are compared with."""
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    """Trainings of every network that the study trains; replicate r of all networks shares its
    random streams."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the first replicate, and of what is drawn at random."""
    training: dict[str, JsonValue] = Field(default_factory=lambda: {"recipe": "quick"})
    """``recipe``: a recipe's name or file; other keys replace its fields."""
    data: DataField
    evaluate: Literal["validation", "test"] = "validation"
    """The images that judge. Nothing is chosen by them, so ``test`` is sound: it is read after
    all networks have been trained."""
    images: Literal["all"] | RandomImages = "all"
    delete: Deletions = Deletions()
    scale: Scaling | None = None
    reorder: Reordering | None = None
    paths: Paths | None = None
    margin: Annotated[float, Field(gt=0)] | None = None
    """Percentage points within which two mean rises of the error count as equivalent."""
    resources: Resources = Resources()
    memory: Bytes = 2 * 2**30
    """The most that activations may take in one process, such as ``2GiB``: batches of images are
    chosen by it. Weights and images come on top."""

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        wrong = next(self._contradictions(), "")
        if wrong:
            raise ValueError(wrong)
        return self

    def _contradictions(self) -> Iterator[str]:
        asked = (self.scale, self.reorder, self.paths, self.delete.random)
        kinds = (self.delete.each, self.delete.stages, self.delete.downsampling, self.delete.pairs)
        if not any(kinds) and all(part is None for part in asked):
            yield "nothing is asked of the networks; set delete.each: true, or add scale or reorder"
        yield from self._repeated()
        for name in self.networks:
            if not name.strip() or len(name) > 60:
                yield f"network {name!r}: a name has 1 to 60 characters; give it such a name"

    def _repeated(self) -> Iterator[str]:
        lists = {
            "delete.random.counts": self.delete.random and self.delete.random.counts,
            "scale.factors": self.scale and self.scale.factors,
            "reorder.swaps": self.reorder and self.reorder.swaps,
        }
        for path, values in lists.items():
            if values and values != "all" and len(set(values)) < len(values):
                yield f"{path} names a number twice; drop one"
