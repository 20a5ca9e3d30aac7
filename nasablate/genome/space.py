"""The search-space file: a base genome, axes to vary, limits, and how to search."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, Tag, model_validator

from nasablate.genome.base import SpecModel
from nasablate.genome.data_spec import DataField
from nasablate.genome.problems import AXIS_KINDS

Metric = Literal[
    "val_error",
    "val_loss",
    "params",
    "macs",
    "activation_bytes",
    "latency_ms",
    "peak_memory_mib",
]
"""``val_error`` is in percent; the last two are measured by the trial's worker, for one image."""
MEASURED_METRICS = frozenset({"latency_ms", "peak_memory_mib"})
Direction = Literal["minimize", "maximize"]
CostMetric = Literal["params", "macs", "activation_bytes"]
Condition = dict[str, JsonValue]
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
"""What a study may be called: its name is a folder's too."""
_MOST = 10**15
_MOST_STEPS = 100_000
_Int = int
_End = Annotated[int, Field(ge=-_MOST, le=_MOST)]
_Float = float
_FloatEnd = Annotated[float, Field(ge=-1e30, le=1e30)]


class _Axis(SpecModel):
    kind: ClassVar[str]
    when: Condition | None = None
    """Other axes and the value (or list of values) under which this axis exists."""


class ChoiceAxis(_Axis):
    """A list of values, or a mapping from labels to edits of several paths at once."""

    kind: ClassVar[str] = "choice"
    choice: Annotated[list[JsonValue] | dict[str, dict[str, JsonValue]], Field(min_length=1)]


class IntAxis(_Axis):
    """All integers from low to high, both included."""

    kind: ClassVar[str] = "int"
    int: Annotated[tuple[_End, _End], Field(description="[low, high]")]
    step: Annotated[_Int, Field(ge=1, le=_MOST)] = 1
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_range(self.int, self.step if self.log and self.step != 1 else None, log=self.log)
        return self


class FloatAxis(_Axis):
    """All numbers from low to high; on a grid if ``step`` is given."""

    kind: ClassVar[str] = "float"
    float: Annotated[tuple[_FloatEnd, _FloatEnd], Field(description="[low, high]")]
    step: Annotated[_Float, Field(gt=0)] | None = None
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _check_range(self.float, self.step if self.log else None, log=self.log)
        low, high = self.float
        if self.step is not None and (high - low) / self.step > _MOST_STEPS:
            message = f"more than {_MOST_STEPS} steps of {self.step}; drop step or raise it"
            raise ValueError(message)
        return self


def _check_range(bounds: tuple[float, float], step: float | None, *, log: bool) -> None:
    low, high = bounds
    if low > high:
        message = f"low {low} is above high {high}; write [low, high]"
        raise ValueError(message)
    if log and low <= 0:
        message = f"log needs low > 0, not {low}; drop log or raise low"
        raise ValueError(message)
    if step is not None:
        message = "step and log cannot be combined; drop one of them"
        raise ValueError(message)


def _axis_key(value: object) -> str | None:
    """Choose the axis type by its key, so that errors speak of one type only."""
    if not isinstance(value, dict):
        return type(value).kind if isinstance(value, _Axis) else None
    given = [key for key in AXIS_KINDS if key in value]
    return given[0] if given else None


AxisSpec = Annotated[
    Annotated[ChoiceAxis, Tag("choice")]
    | Annotated[IntAxis, Tag("int")]
    | Annotated[FloatAxis, Tag("float")],
    Discriminator(
        _axis_key,
        custom_error_type="axis_kind",
        custom_error_message="an axis is a mapping with choice, int or float; e.g. "
        "{choice: [1, 2]}",
    ),
]


_SUFFIXES = {"K": 1e3, "k": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}


def parse_quantity(value: object) -> object:
    """Read ``4.0M`` or ``450k`` as a number; other values pass through.

    >>> parse_quantity("4.0M")
    4000000.0
    """
    if isinstance(value, str) and value:
        number, suffix = value[:-1], value[-1]
        try:
            return float(number) * _SUFFIXES[suffix] if suffix in _SUFFIXES else float(value)
        except ValueError:
            message = "must be a number, or a number with K, M or G; write for example 4.0M"
            raise ValueError(message) from None
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    float, BeforeValidator(parse_quantity, json_schema_input_type=float | str), Field(ge=0)
]


class Bounds(SpecModel):
    """An inclusive range; at least one end is given."""

    min: Quantity | None = None
    max: Quantity | None = None

    @model_validator(mode="after")
    def _some_end(self) -> Self:
        if self.min is None and self.max is None:
            message = "a limit needs min or max; e.g. {max: 4.0M}"
            raise ValueError(message)
        if self.min is not None and self.max is not None and self.min > self.max:
            message = f"impossible limit, min {self.min:g} is above max {self.max:g}; swap them"
            raise ValueError(message)
        return self


class SamplerSpec(SpecModel):
    """What proposes the next genome."""

    name: Literal["auto", "random", "grid", "tpe", "nsga2"] = "auto"
    """``auto``: grid if the space has no more cells than trials, else TPE for one objective
    and NSGA-II for several."""
    seed: int = 0


class NoScheduler(SpecModel):
    """Every trial runs to its last epoch."""

    name: Literal["none"] = "none"


class Halving(SpecModel):
    """Stop a trial at a rung unless it is among the best 1/factor of the records there.

    Rungs lie at ``min_epochs * factor ** k``. The stopping form of successive halving
    (Li et al. 2020, arXiv 1810.05934), decided from the records alone.
    """

    name: Literal["halving"] = "halving"
    min_epochs: Annotated[int, Field(ge=1)] = 1
    factor: Annotated[int, Field(ge=2)] = 3


SchedulerSpec = Annotated[NoScheduler | Halving, Field(discriminator="name")]


class Resources(SpecModel):
    """What one trial takes and how many run at once."""

    gpus_per_trial: Annotated[float, Field(ge=0)] | Literal["auto", "measured"] = "auto"
    """A fraction shares a GPU; ``auto`` is 1 where the runner has GPUs, else 0; ``measured`` is a
    fraction 1/k that memory and gain allow, measured before the first trial and then kept."""
    cpus_per_trial: Annotated[float, Field(gt=0)] = 1
    threads_per_trial: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Compute threads of a trial on the CPU; part of what identifies a result."""
    concurrent: Annotated[int, Field(ge=1)] | None = None
    """Trials at once; null means as many as the resources allow."""
    workers_per_trial: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Processes that share every batch of a trial, each with its own CPUs, and a GPU if the trial
    has any; null is the number of GPUs of a trial, at least 1."""

    later: ClassVar[frozenset[str]] = frozenset({"workers_per_trial"})

    @property
    def workers(self) -> int:
        """Processes of a trial."""
        if self.workers_per_trial is not None:
            return self.workers_per_trial
        return max(1, int(self.gpus_or_one))

    @property
    def gpus_or_one(self) -> float:
        """GPUs of a trial, one where the number is not given."""
        return 1.0 if isinstance(self.gpus_per_trial, str) else self.gpus_per_trial

    @model_validator(mode="after")
    def _one_gpu_per_worker(self) -> Self:
        gpus = self.gpus_per_trial
        if gpus == "measured" and self.workers > 1:
            message = (
                f"gpus_per_trial is measured with {self.workers} workers; several workers have a"
                " whole GPU each, so leave one of the two out"
            )
            raise ValueError(message)
        if isinstance(gpus, str) or gpus == 0 or (self.workers == 1 and gpus <= 1):
            return self
        if gpus != self.workers:
            message = (
                f"gpus_per_trial is {gpus:g} with {self.workers} workers; several workers have a"
                " whole GPU each, so write as many GPUs as workers, or leave one of the two out"
            )
            raise ValueError(message)
        return self


class Record(SpecModel):
    """What is kept of a training within its epochs; it changes no result."""

    every_steps: Annotated[int, Field(ge=1, le=1_000_000)]
    """Mean training loss of so many steps, and the learning rate of the last of them."""


class Confirm(SpecModel):
    """Train the best few again on fresh seeds before the winner's test error is read."""

    top: Annotated[int, Field(ge=1, le=10_000)] = 3
    seeds: Annotated[int, Field(ge=2, le=10_000)] = 5


def _least_error() -> dict[Metric, Direction]:
    return {"val_error": "minimize"}


def _quick_recipe() -> dict[str, JsonValue]:
    return {"recipe": "quick"}


class SearchSpec(SpecModel):
    """A search: what varies, within which limits, judged by what."""

    kind: Literal["search"] = "search"
    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    question: str = ""
    base: str | dict[str, JsonValue]
    """A preset's name, the path of a genome file, or a genome written inline."""
    axes: Annotated[dict[str, AxisSpec], Field(min_length=1)]
    constraints: dict[CostMetric, Bounds] = Field(default_factory=dict[CostMetric, Bounds])
    objectives: Annotated[dict[Metric, Direction], Field(min_length=1)] = Field(
        default_factory=_least_error
    )
    sampler: SamplerSpec = SamplerSpec()
    scheduler: SchedulerSpec = NoScheduler()
    training: dict[str, JsonValue] = Field(default_factory=_quick_recipe)
    """``recipe``: a recipe's name or file; other keys replace its fields."""
    data: DataField
    trials: Annotated[int, Field(ge=1)]
    """Distinct networks to try; those already tried do not count again."""
    seed: Annotated[int, Field(ge=0)] = 0
    resources: Resources = Resources()
    record: Record | None = None
    """What is kept within epochs; null is nothing."""
    confirm: Confirm | None = None

    @model_validator(mode="after")
    def _one_objective_for_rungs(self) -> Self:
        if len(self.objectives) > 1 and self.scheduler.name != "none":
            message = (
                "scheduler needs a single objective, since stopping by error alone would favour"
                " one end of the Pareto front; drop the scheduler or the other objectives"
            )
            raise ValueError(message)
        return self
