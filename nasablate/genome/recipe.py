"""Training recipes: everything that turns a network and data into a trained network."""

import hashlib
import json
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from nasablate.genome.augmentation import Augmentation
from nasablate.genome.base import SpecModel
from nasablate.genome.evaluation import Evaluation
from nasablate.genome.optimizer import ClipSpec, OptimizerSpec, Sgd, WeightAverage
from nasablate.genome.schedule import CosineSchedule, ScheduleSpec, Warmup

Precision = Literal["float32", "bfloat16"]
Execution = Literal["auto", "eager", "compile", "graphs"]
InitRule = Literal["kaiming_fan_out", "kaiming_fan_in", "xavier", "normal_0.01"]


class Biases(SpecModel):
    """Biases that some layers start with in place of 0 (Krizhevsky et al. 2012, section 5)."""

    value: Annotated[float, Field(ge=-100, le=100)] = 1.0
    layers: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=1)]
    """Numbers of convolutions and linear layers, from 1 at the input, without those of shortcuts,
    gates and attention."""


class Recipe(SpecModel):
    """A training recipe."""

    later: ClassVar[frozenset[str]] = frozenset(
        {
            "accumulate",
            "clip",
            "average",
            "zero_last_norm",
            "precision",
            "snapshots",
            "evaluation",
            "biases",
            "execution",
        }
    )
    kind: Literal["recipe"] = "recipe"
    schema_version: Literal[1] = 1
    name: str = ""
    source: str = ""
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 10
    batch_size: Annotated[int, Field(ge=2, le=1_000_000)] = 128
    accumulate: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Batches whose gradients are averaged before a step, so that the optimizer sees
    ``batch_size * accumulate`` images; normalisations still see ``batch_size``."""
    eval_batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    optimizer: OptimizerSpec = Sgd()
    clip: ClipSpec | None = None
    """A limit on the gradients of every step."""
    schedule: ScheduleSpec = CosineSchedule()
    warmup: Warmup = Warmup()
    snapshots: Annotated[int, Field(ge=1, le=1000)] = 1
    """Sets of weights a training leaves where weights are kept: of the last epoch, and of equally
    spaced epochs before it, for ``nasablate ensemble``."""
    average: WeightAverage | None = None
    """A moving average of the weights, evaluated and kept in their place."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augmentation: Augmentation = Augmentation()
    evaluation: Evaluation | None = None
    """Views that the final error averages over; null looks at the whole picture once."""
    init: InitRule = "kaiming_fan_out"
    """Convolutions ~ N(0, sqrt(2 / fan)) (He et al. 2015), linear layers uniform within
    1 / sqrt(fan_in); or convolutions and linear layers uniform within sqrt(6 / (fan_in + fan_out))
    (``xavier``, Glorot and Bengio 2010), or N(0, 0.01). Normalisations are 1 and 0, biases 0."""
    biases: Biases | None = None
    zero_last_norm: bool = False
    """Start the last normalisation of every residual branch at 0, so that units begin as their
    shortcuts (Goyal et al. 2017, arXiv 1706.02677); branches must end in a normalisation."""

    precision: Precision = "float32"
    """``bfloat16``: feature maps and products in half precision; weights, statistics of
    normalisations and losses stay float32. Refused where the hardware only imitates it."""
    execution: Execution = "auto"
    """How steps are executed: ``eager`` as written, ``compile`` by torch.compile,
    ``graphs`` as one CUDA graph. ``auto`` is eager on a CPU, so that bits stay the same, and on a
    GPU what is expected to take the least time."""

    @model_validator(mode="after")
    def _snapshots_are_different(self) -> Self:
        if self.snapshots > self.epochs:
            message = f"snapshots cannot be more than the epochs, {self.epochs}; lower it"
            raise ValueError(message)
        return self

    @property
    def snapshot_epochs(self) -> tuple[int, ...]:
        """The epochs before the last whose weights are kept.

        >>> Recipe(epochs=10, snapshots=4).snapshot_epochs
        (2, 5, 8)
        """
        return tuple(round(k * self.epochs / self.snapshots) for k in range(1, self.snapshots))

    def canonical_json(self) -> str:
        """Return the one JSON text of what a recipe says: sorted keys, no spaces.

        Defaults are written, but not those of fields that came into the format later.
        """
        return json.dumps(self.essential(), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Return a hash of everything that acts on training; name and source do not."""
        acting = self.model_copy(update={"name": "", "source": ""})
        return hashlib.sha256(acting.canonical_json().encode()).hexdigest()
