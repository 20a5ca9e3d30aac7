"""Learning rate schedules of a recipe: a factor on the optimizer's rate for every step."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel

Fraction = Annotated[float, Field(ge=0, le=1)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]


class StepSchedule(SpecModel):
    """The learning rate is multiplied by ``gamma`` at each milestone."""

    kind: Literal["step"] = "step"
    milestones: tuple[Fraction, ...] = (0.5, 0.75)
    """Fractions of all epochs, so that a shortened recipe keeps its shape."""
    gamma: Annotated[float, Field(gt=0, le=1)] = 0.1


class ExponentialSchedule(SpecModel):
    """The learning rate is multiplied by ``gamma`` after every ``every`` epochs."""

    kind: Literal["exponential"] = "exponential"
    gamma: Annotated[float, Field(gt=0, le=1), "exponential"] = 0.94
    every: Epochs = 2


class CosineSchedule(SpecModel):
    """Half a cosine from the full learning rate to ``final`` times it, step by step."""

    later: ClassVar[frozenset[str]] = frozenset({"cycles"})
    kind: Literal["cosine"] = "cosine"
    final: Fraction = 0.0
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1
    """Equal parts of the training, each with a cosine of its own (warm restarts, Loshchilov and
    Hutter 2017, arXiv 1608.03983); with as many ``snapshots`` it trains an ensemble (Huang et al.
    2017, arXiv 1704.00109)."""


class PolynomialSchedule(SpecModel):
    """final + (1 - final) * (1 - step / steps) ** power, step by step."""

    kind: Literal["polynomial"] = "polynomial"
    power: Annotated[float, Field(gt=0, le=100)] = 1.0
    final: Fraction = 0.0


class OneCycleSchedule(SpecModel):
    """The learning rate rises from ``start`` to its full value, then falls to ``final``.

    Smith and Topin 2017 (arXiv 1708.07120); the momentum stays as it is.
    """

    kind: Literal["one_cycle"] = "one_cycle"
    peak: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Fraction of all steps at which the rate is highest."""
    start: Fraction = 0.04
    final: Annotated[float, Field(ge=0, le=1), "one_cycle"] = 4e-6
    shape: Literal["cosine", "linear"] = "cosine"


class PlateauSchedule(SpecModel):
    """The learning rate is multiplied by ``factor`` when a validation metric stops falling.

    The rate of an epoch follows from the validation results of the epochs before it alone, so a
    training that was interrupted goes on as it would have.
    """

    kind: Literal["plateau"] = "plateau"
    metric: Literal["val_error", "val_loss"] = "val_error"
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    patience: Annotated[int, Field(ge=0, le=100_000)] = 10
    """Epochs without a new best that are borne; one more and the rate drops."""
    threshold: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    """A new best is below the old one by more than this fraction of it."""
    cooldown: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Epochs after a drop that are not counted."""
    max_drops: Annotated[int, Field(ge=1, le=1000)] | None = None
    """The rate drops at most so often; null for no limit."""


class ConstantSchedule(SpecModel):
    """One learning rate throughout."""

    kind: Literal["constant"] = "constant"


ScheduleSpec = Annotated[
    StepSchedule
    | ExponentialSchedule
    | CosineSchedule
    | PolynomialSchedule
    | OneCycleSchedule
    | PlateauSchedule
    | ConstantSchedule,
    Field(discriminator="kind"),
]


class Warmup(SpecModel):
    """The learning rate starts at ``start`` times its value."""

    later: ClassVar[frozenset[str]] = frozenset({"shape"})
    epochs: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    start: Fraction = 0.1
    shape: Literal["linear", "constant"] = "linear"
    """``linear`` rises step by step; ``constant`` stays at ``start`` (He et al. 2015, 4.2)."""
