"""Optimizers of a recipe, and what happens to the gradients and weights around their steps."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import Discriminator, Field, Tag

from nasablate.genome.base import SpecModel

Rate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0)]
Average = Annotated[float, Field(ge=0, lt=1)]

# The names below tell the fields of one kind from those of another: a rate that suits SGD would
# ruin AdamW, so a change of ``kind`` alone does not carry it over.


class Sgd(SpecModel):
    """Stochastic gradient descent with momentum."""

    kind: Literal["sgd"] = "sgd"
    lr: Rate = 0.1
    momentum: Average = 0.9
    nesterov: bool = True
    weight_decay: Decay = 1e-4
    decay_norm_and_bias: bool = True
    """Whether weight decay also acts on normalisation parameters and biases."""


class AdamW(SpecModel):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101)."""

    kind: Literal["adamw"] = "adamw"
    lr: Annotated[float, Field(gt=0), "adamw"] = 1e-3
    beta1: Average = 0.9
    """Decay of the running mean of gradients."""
    beta2: Average = 0.999
    """Decay of the running mean of squared gradients."""
    eps: Annotated[float, Field(gt=0), "adamw"] = 1e-8
    weight_decay: Annotated[float, Field(ge=0), "adamw"] = 1e-2
    """Per step the weights shrink by the learning rate times this."""
    decay_norm_and_bias: bool = True
    """Whether weight decay also acts on normalisation parameters and biases."""


class RmsProp(SpecModel):
    """Gradients divided by the root of their running mean square, then momentum.

    ``eps`` is added after the root is taken, as in torch; TensorFlow adds it before.
    """

    kind: Literal["rmsprop"] = "rmsprop"
    lr: Annotated[float, Field(gt=0), "rmsprop"] = 1e-2
    alpha: Average = 0.99
    """Decay of the running mean of squared gradients."""
    momentum: Annotated[float, Field(ge=0, lt=1), "rmsprop"] = 0.0
    eps: Annotated[float, Field(gt=0), "rmsprop"] = 1e-8
    weight_decay: Decay = 0.0
    decay_norm_and_bias: bool = True
    """Whether weight decay also acts on normalisation parameters and biases."""


def _kind(value: object) -> str:
    """Return the kind of an optimizer, which is SGD where a file does not say."""
    if isinstance(value, Mapping):
        return str(cast("Mapping[str, object]", value).get("kind", "sgd"))
    return str(getattr(value, "kind", "sgd"))


OptimizerSpec = Annotated[
    Annotated[Sgd, Tag("sgd")]
    | Annotated[AdamW, Tag("adamw")]
    | Annotated[RmsProp, Tag("rmsprop")],
    Discriminator(_kind),
]


class ClipNorm(SpecModel):
    """All gradients are scaled by one factor so that their joint norm is at most ``max``."""

    kind: Literal["norm"] = "norm"
    max: Annotated[float, Field(gt=0)] = 1.0


class ClipValue(SpecModel):
    """Every element of a gradient is cut off at ``max`` and ``-max``."""

    kind: Literal["value"] = "value"
    max: Annotated[float, Field(gt=0), "value"] = 1.0


ClipSpec = Annotated[ClipNorm | ClipValue, Field(discriminator="kind")]


class WeightAverage(SpecModel):
    """An exponential moving average of the weights, which is what is evaluated and kept.

    After every step: average = decay * average + (1 - decay) * weights, running statistics of
    normalisations included.
    """

    decay: Average = 0.999
    ramp: bool = True
    """Use min(decay, (1 + t) / (10 + t)) at step t, from 0, so that the initial weights are
    forgotten quickly."""
