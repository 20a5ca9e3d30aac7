"""The ablation file: a baseline, what is changed about it, and how sure to be."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from nasablate.genome.base import Count, SpecModel
from nasablate.genome.data_spec import DataField
from nasablate.genome.problems import nearest
from nasablate.genome.protocol import Protocol
from nasablate.genome.sequential import Sequential
from nasablate.genome.space import NAME_PATTERN, CostMetric, Record, Resources

Edits = dict[str, JsonValue]
"""From dotted paths of the genome (or ``training.`` and a path of the recipe) to new values."""
Factor = Annotated[dict[str, Edits], Field(min_length=2)]
"""From level names to edits; one level leaves the baseline as it is."""
Design = Literal["one_at_a_time", "leave_one_out", "path", "factorial", "fractional", "arms"]
MatchMode = Literal["matched", "both"]
_ARM_BY_ARM = ("one_at_a_time", "leave_one_out", "arms")
"""Designs that ask about each arm alone, which may stop before the others."""
_OPTIONS = {"order": "path", "direction": "path", "resolution": "fractional"}
"""Keys that belong to one design."""


def _tolerance(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?%", value):
        return float(value[:-1]) / 100
    if isinstance(value, str):
        message = "must be a percentage; write for example 1%"
        raise ValueError(message)  # noqa: TRY004 - pydantic reports ValueError by path
    if type(value) is int and value == 1:
        message = "1 would be 100 %; write 1% or 0.01"
        raise ValueError(message)
    return value


Tolerance = Annotated[
    float, BeforeValidator(_tolerance, json_schema_input_type=float | str), Field(ge=0, le=1)
]


class Reported(SpecModel):
    """A number from a paper, to stand beside the measured one."""

    arm: Annotated[dict[str, str] | str, Field(description="Levels by factor, or an arm's name.")]
    value: Annotated[float, Field(ge=0, le=100)] | None = None
    """Error in percent; null if it is not available."""
    n: Count | None = None
    """Trainings behind the value; null is not said."""
    std: Annotated[float, Field(ge=0, le=100)] | None = None
    """Standard deviation over those trainings, in percentage points."""
    protocol: Protocol = Protocol()
    """How it was trained, as far as the source says: fields of the recipe, and ``data``."""
    source: Annotated[str, Field(min_length=1)]
    """Paper and table."""
    note: str = ""


class Pilot(SpecModel):
    """What is known of the noise before the ablation: numbers, or the records of a study."""

    sd: Annotated[float, Field(gt=0, le=100)] | None = None
    """Standard deviation of an arm's error over seeds, in percentage points."""
    correlation: Annotated[float, Field(ge=-1, lt=1)] = 0.0
    """Between the errors of two arms on shared seeds; goes with ``sd``."""
    records: Annotated[str, Field(min_length=1)] | None = None
    """A ``records.csv`` of an earlier study, beside the ablation file or by path."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.sd is None) == (self.records is None):
            message = "a pilot is {sd: 0.3} or the path of a records.csv; give one of them"
            raise ValueError(message)
        return self


def _pilot(value: object) -> object:
    return {"records": value} if isinstance(value, str) else value


PilotField = Annotated[Pilot, BeforeValidator(_pilot, json_schema_input_type=Pilot | str)]


def _replicates(given: dict[str, Any]) -> int:
    sequential = given.get("sequential")
    return sequential.baseline_seeds if isinstance(sequential, Sequential) else 1


class AblationSpec(SpecModel):
    """An ablation: arms are named edits of the baseline, each trained on the same seeds."""

    kind: Literal["ablation"] = "ablation"
    schema_version: Literal[1] = 1
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
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
    ``order``. ``factorial``: every combination of levels. ``fractional``: the share of them that
    ``resolution`` needs. ``arms``: those listed."""
    order: tuple[str, ...] | None = None
    """For ``design: path``: the factors in the order they are added; null is the file's."""
    direction: Literal["forward", "both"] = "forward"
    """For ``design: path``: ``both`` also adds the factors in the reverse order, so that each is
    added first and last."""
    resolution: Literal[3, 4, 5] | None = None
    """For ``design: fractional``: at 3 no two main effects are mixed, at 4 none with an
    interaction of two factors, at 5 no two such interactions either."""
    sequential: Sequential | None = None
    """In place of ``seeds``: train the baseline on all its seeds and the arms from look to look,
    each only until it is settled. For designs that judge every arm by itself. What is left out
    depends on whether there are 20 arms or more."""
    seeds: Annotated[int, Field(ge=1, le=1000, default_factory=_replicates)]
    """Replicates of every arm; replicate r of all arms shares its random streams. With
    ``sequential`` it is left out: those of the baseline."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the first replicate."""
    accept_undecided: bool = False
    """Run although so few seeds can give no verdict, as to try the file."""
    match: dict[CostMetric, Tolerance] = Field(default_factory=dict[CostMetric, Tolerance])
    """How far an arm's cost may lie from the reference's, relative. Width, then depth of an arm
    that lies further away is changed, where its edits do not say them."""
    match_mode: MatchMode = "matched"
    """``both``: arms that had to be changed are trained as their edits say, too."""
    margin: Annotated[float, Field(gt=0)] | None = None
    """Percentage points within which two errors count as equivalent."""
    pilot: PilotField | None = None
    """What the difference that can be found is worked out from, before anything is trained."""
    evaluate: Literal["validation", "test"] = "validation"
    """The part that judges: arms are fixed beforehand, so ``test`` is read once per trained
    network, at its last epoch, after all have been trained."""
    training: dict[str, JsonValue] = Field(default_factory=lambda: {"recipe": "quick"})
    """``recipe``: a recipe's name or file; other keys replace its fields."""
    data: DataField
    resources: Resources = Resources()
    record: Record | None = None
    """What is kept within epochs; null is nothing."""
    reported: tuple[Reported, ...] = ()

    @field_validator("sequential")
    @classmethod
    def _for_its_arms(cls, value: Sequential | None, info: ValidationInfo) -> Sequential | None:
        """Fill in the defaults for as many arms as the edits make, twins by matching left out."""
        if value is None:
            return None
        factors: dict[str, Factor] = info.data.get("factors", {})
        levels = sum(len(found) - 1 for found in factors.values())
        return value.for_arms(levels + len(info.data.get("arms", {})))

    @property
    def combines_levels(self) -> bool:
        """Whether arms change several factors at once, so that factors are judged by effects."""
        return self.design in {"factorial", "fractional"}

    @model_validator(mode="after")
    def _fits_its_design(self) -> Self:
        wrong = next(self._contradictions(), "")
        if wrong:
            raise ValueError(wrong)
        return self

    def _contradictions(self) -> Iterator[str]:
        yield from self._wrong_arms()
        yield from self._wrong_seeds()
        for key, design in _OPTIONS.items():
            if self.design != design and getattr(self, key) != type(self).model_fields[key].default:
                yield f"{key} belongs to design: {design}; drop it"
        if self.order is not None and sorted(self.order) != sorted(self.factors):
            yield f"order must name each factor once; write [{', '.join(self.factors)}]"
        if self.design == "fractional" and self.resolution is None:
            yield "design fractional needs a resolution; 3, 4 or 5"
        if self.match_mode == "both" and not self.match:
            yield "match_mode needs match; say which cost, e.g. match: {params: 1%}"
        for index, item in enumerate(self.reported):
            yield from self._unknown(f"reported[{index}].arm", item.arm)

    def _wrong_arms(self) -> Iterator[str]:
        if self.design == "arms" and self.factors:
            yield "design arms takes arms, not factors; drop one"
        if self.design == "arms" and not self.arms:
            yield "design arms needs arms; write arms: {name: {path: value}}"
        if self.design != "arms" and not self.factors:
            yield f"design {self.design} needs factors; write factors: {{name: {{level: {{}}}}}}"
        if self.design != "arms" and self.arms:
            yield "arms belong to design: arms; drop one"

    def _wrong_seeds(self) -> Iterator[str]:
        if self.sequential is None:
            if "seeds" not in self.model_fields_set:
                yield "seeds is missing; say how many, or give sequential: {looks: [2, 4, 8]}"
            return
        if self.seeds != self.sequential.baseline_seeds:
            yield "seeds and sequential, which says how many, do not go together; drop one"
        if self.design not in _ARM_BY_ARM:
            yield (
                f"sequential stops arms one by one, and design {self.design} needs all of them; "
                f"use {', '.join(_ARM_BY_ARM[:-1])} or {_ARM_BY_ARM[-1]}, or give seeds"
            )

    def _unknown(self, place: str, arm: dict[str, str] | str) -> Iterator[str]:
        """Yield what a reported row names that the file does not have."""
        if isinstance(arm, str):
            known = ["baseline", *self.arms]
            if self.design == "arms" and arm not in known:
                yield f"{place} names no arm: {arm!r}; {nearest(arm, known) or 'name one of arms'}"
            return
        for factor, level in arm.items():
            levels = self.factors.get(factor)
            if levels is None:
                hint = nearest(factor, self.factors) or "name a factor"
                yield f"{place} names no factor: {factor!r}; {hint}"
            elif level not in levels:
                hint = nearest(level, levels) or "name a level"
                yield f"{place} names no level of {factor}: {level!r}; {hint}"
