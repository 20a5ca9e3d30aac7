"""The ablation file: a baseline, what is changed about it, and how sure to be."""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from nasablate.genome.base import SpecModel
from nasablate.genome.data_spec import DataField
from nasablate.genome.space import CostMetric, Resources

Edits = dict[str, JsonValue]
"""From dotted paths of the genome (or ``training.`` and a path of the recipe) to new values."""
Factor = Annotated[dict[str, Edits], Field(min_length=2)]
"""From level names to edits; one level leaves the baseline as it is."""
Design = Literal["one_at_a_time", "leave_one_out", "path", "factorial", "arms"]


def _tolerance(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?%", value):
        return float(value[:-1]) / 100
    if isinstance(value, str):
        message = "must be a percentage such as 1%"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError by path
    return value


Tolerance = Annotated[
    float, BeforeValidator(_tolerance, json_schema_input_type=float | str), Field(ge=0, le=1)
]


class Reported(SpecModel):
    """A number from a paper, to stand beside the measured one."""

    arm: Annotated[dict[str, str] | str, Field(description="Levels by factor, or an arm's name.")]
    value: float | None = None
    """Error in percent; null if it is not available."""
    source: Annotated[str, Field(min_length=1)]
    note: str = ""


class AblationSpec(SpecModel):
    """An ablation: arms are named edits of the baseline, each trained on the same seeds."""

    kind: Literal["ablation"] = "ablation"
    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
    question: str = ""
    baseline: str | dict[str, JsonValue]
    """A preset's name, the path of a genome file, or a genome written inline."""
    factors: dict[str, Factor] = Field(default_factory=dict[str, Factor])
    """What is changed, by name; empty only for ``design: arms``."""
    arms: dict[str, Edits] = Field(default_factory=dict[str, Edits])
    """For ``design: arms``: named edits of the baseline."""
    design: Design
    """``one_at_a_time``: the baseline and every other level alone. ``leave_one_out``: all
    factors changed, and each of them changed back. ``path``: one more factor in each arm, in
    ``order``. ``factorial``: every combination of levels. ``arms``: those listed."""
    order: tuple[str, ...] | None = None
    """For ``design: path``: the factors in the order they are added; null is the file's."""
    seeds: Annotated[int, Field(ge=1, le=1000)]
    """Replicates of every arm; replicate r of all arms shares its random streams."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the first replicate."""
    match: dict[CostMetric, Tolerance] = Field(default_factory=dict[CostMetric, Tolerance])
    """How far an arm's cost may lie from the baseline's, relative."""
    margin: Annotated[float, Field(gt=0)] | None = None
    """Percentage points within which two errors count as equivalent."""
    evaluate: Literal["validation", "test"] = "validation"
    """The part that judges: arms are fixed beforehand, so ``test`` is read once per trained
    network, at its last epoch, after all have been trained."""
    training: dict[str, JsonValue] = Field(default_factory=lambda: {"recipe": "quick"})
    """``recipe``: a recipe's name or file; other keys replace its fields."""
    data: DataField
    resources: Resources = Resources()
    reported: tuple[Reported, ...] = ()

    @model_validator(mode="after")
    def _fits_its_design(self) -> Self:
        if self.design == "arms":
            wrong = "design arms needs arms: {name: {path: value}}" if not self.arms else ""
            wrong = "design arms takes arms, not factors; drop one" if self.factors else wrong
        else:
            wrong = f"design {self.design} needs factors" if not self.factors else ""
            wrong = "arms belong to design: arms; drop one" if self.arms else wrong
        if self.order is not None and self.design != "path":
            wrong = "order belongs to design: path; drop it"
        elif self.order is not None and sorted(self.order) != sorted(self.factors):
            wrong = f"order must name each factor once: {', '.join(self.factors)}"
        if wrong:
            raise ValueError(wrong)
        return self
