"""Training recipes: everything that turns a network and data into a trained network."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel

Fraction = Annotated[float, Field(ge=0, le=1)]


class Sgd(SpecModel):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    lr: Annotated[float, Field(gt=0)] = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    decay_norm_and_bias: bool = True
    """Whether weight decay also acts on normalisation parameters and biases."""


class StepSchedule(SpecModel):
    """The learning rate is multiplied by ``gamma`` at each milestone."""

    kind: Literal["step"] = "step"
    milestones: tuple[Fraction, ...] = (0.5, 0.75)
    """Fractions of all epochs, so that a shortened recipe keeps its shape."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1


class CosineSchedule(SpecModel):
    """Half a cosine from the full learning rate to ``final`` times it, step by step."""

    kind: Literal["cosine"] = "cosine"
    final: Fraction = 0.0


class ConstantSchedule(SpecModel):
    """One learning rate throughout."""

    kind: Literal["constant"] = "constant"


ScheduleSpec = Annotated[
    StepSchedule | CosineSchedule | ConstantSchedule, Field(discriminator="kind")
]


class Warmup(SpecModel):
    """The learning rate rises linearly, step by step, from ``start`` times its value."""

    epochs: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    start: Fraction = 0.1


class Augmentation(SpecModel):
    """Random crop after padding, and horizontal flip, on batches of uint8 images."""

    pad: Annotated[int, Field(ge=0, le=64)] = 0
    pad_mode: Literal["zero", "reflect"] = "zero"
    """``zero`` pads with the data set's mean colour, zero after normalisation."""
    flip: bool = False


class Recipe(SpecModel):
    """A training recipe."""

    kind: Literal["recipe"] = "recipe"
    schema_version: Literal[1] = 1
    name: str = ""
    source: str = ""
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 10
    batch_size: Annotated[int, Field(ge=2, le=1_000_000)] = 128
    eval_batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    optimizer: Sgd = Sgd()
    schedule: ScheduleSpec = CosineSchedule()
    warmup: Warmup = Warmup()
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    augmentation: Augmentation = Augmentation()
    init: Literal["kaiming_fan_out", "kaiming_fan_in"] = "kaiming_fan_out"
    """Convolutions ~ N(0, sqrt(2 / fan)) (He et al. 2015), normalisations 1 and 0; linear
    layers uniform within 1 / sqrt(fan_in), biases 0."""

    def digest(self) -> str:
        """Return a hash of everything that acts on training; name and source do not."""
        acting = self.model_copy(update={"name": "", "source": ""})
        return hashlib.sha256(acting.canonical_json().encode()).hexdigest()
