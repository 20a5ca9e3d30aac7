"""Published numbers beside the measured ones: the gap, its interval, and what else differs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any, cast

from nasablate.analysis.distributions import t_quantile
from nasablate.analysis.paired import ALPHA, Interval, error_interval
from nasablate.genome import AblationSpec, Recipe
from nasablate.genome.ablation import Reported
from nasablate.genome.edits import split_path
from nasablate.search.designs import BASELINE, Levels


@dataclass(frozen=True, slots=True)
class Measured:
    """What a reported row is compared with."""

    name: str
    levels: Levels
    errors: tuple[float, ...]
    recipe: Recipe | None
    """How the arm is trained; None before its first trial."""


@dataclass(frozen=True, slots=True)
class ProtocolDifference:
    """One thing that the source and the study do differently, or the study does not record."""

    what: str
    reported: Any
    ours: Any

    def __str__(self) -> str:
        """Return it as text: ``epochs 300, here 8``."""
        return f"{self.what} {_text(self.reported)}, here {_text(self.ours)}"


@dataclass(frozen=True, slots=True)
class Beside:
    """One reported number and ours."""

    row: Reported
    arm: str | None
    """The arm's name; None if the design has no such arm."""
    mean: float | None
    n: int
    """Our trainings."""
    interval: Interval | None
    """Of our mean."""
    gap: float | None
    """Ours minus the reported error, in percentage points."""
    gap_interval: Interval | None
    """With the spread that the source reports, if it does; else its number counts as exact."""
    differences: tuple[ProtocolDifference, ...]
    """In the protocols, as far as the source's is given."""

    @property
    def has_protocol(self) -> bool:
        """Tell whether anything of the source's protocol is given."""
        return self.row.protocol != type(self.row.protocol)()

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            **self.row.document(),
            "available": self.row.value is not None,
            "measured_arm": self.arm,
            "measured": {
                "n": self.n,
                "mean": self.mean,
                "interval": _ends(self.interval),
            },
            "gap": self.gap,
            "gap_interval": _ends(self.gap_interval),
            "protocol_given": self.has_protocol,
            "protocol_differences": [asdict(found) for found in self.differences],
        }


def set_beside(
    spec: AblationSpec, arms: Sequence[Measured], num_train: int | None
) -> tuple[Beside, ...]:
    """Return every reported row with the measured arm it speaks of.

    Args:
        spec: The ablation with its ``reported`` rows.
        arms: What was measured, the reference first.
        num_train: Images that every arm learns from; None if that is not known.
    """
    return tuple(_beside(row, _arm_of(row, arms), spec, num_train) for row in spec.reported)


def _beside(
    row: Reported, arm: Measured | None, spec: AblationSpec, num_train: int | None
) -> Beside:
    errors = () if arm is None else arm.errors
    mean = fmean(errors) if errors else None
    gap = None if mean is None or row.value is None else mean - row.value
    return Beside(
        row=row,
        arm=None if arm is None else arm.name,
        mean=mean,
        n=len(errors),
        interval=error_interval(errors) if len(errors) > 1 else None,
        gap=gap,
        gap_interval=None if gap is None else _gap_interval(gap, errors, row),
        differences=() if arm is None else tuple(_differences(row, arm, spec, num_train)),
    )


def _arm_of(row: Reported, arms: Sequence[Measured]) -> Measured | None:
    """Return the arm with a name, or with these levels and the baseline's otherwise."""
    if isinstance(row.arm, str):
        return next((arm for arm in arms if arm.name == row.arm), None)
    wanted = {**_present(arms), **row.arm}
    return next((arm for arm in arms if arm.levels == wanted), None)


def _present(arms: Sequence[Measured]) -> Levels:
    """Return the baseline's levels; a leave-one-out design has each of them in one arm."""
    by_name = {arm.name: arm.levels for arm in arms}
    if BASELINE in by_name:
        return by_name[BASELINE]
    alone = {factor: by_name.get(f"all but {factor}", {}) for factor in arms[0].levels}
    return {factor: levels[factor] for factor, levels in alone.items() if factor in levels}


def _gap_interval(gap: float, errors: Sequence[float], row: Reported) -> Interval | None:
    """Return a t interval of ours minus theirs (Welch's, where the source gives a spread)."""
    if len(errors) < 2:
        return None
    ours, theirs = stdev(errors) ** 2 / len(errors), 0.0
    freedom = float(len(errors) - 1)
    if row.std is not None and row.n is not None and row.n > 1:
        theirs = row.std**2 / row.n
    if ours + theirs > 0 and theirs > 0 and row.n is not None:
        freedom = (ours + theirs) ** 2 / (ours**2 / freedom + theirs**2 / (row.n - 1))
    half = t_quantile(1 - ALPHA / 2, freedom) * math.sqrt(ours + theirs)
    return Interval(gap - half, gap + half)


def _differences(
    row: Reported, arm: Measured, spec: AblationSpec, num_train: int | None
) -> Iterator[ProtocolDifference]:
    said = row.protocol
    recipe = None if arm.recipe is None else arm.recipe.document()
    for path, value in said.fields().items():
        ours = _value_at(recipe, path)
        if not _equal(value, ours):
            yield ProtocolDifference(path, value, ours)
    if said.data is not None:
        theirs, own = said.data.document(), spec.data.document()
        for key in ("name", "subset", "size"):
            if theirs.get(key) != own.get(key):
                yield ProtocolDifference(f"data.{key}", theirs.get(key), own.get(key))
    others = [
        ("training images", said.training_images, num_train),
        ("judged on", said.evaluate, spec.evaluate),
        ("epoch", said.epoch, "last"),
    ]
    for what, reported, ours in others:
        if reported is not None and reported != ours:
            yield ProtocolDifference(what, reported, ours)


def _value_at(document: object, path: str) -> object:
    for part in split_path(path):
        if not isinstance(document, Mapping):
            return None
        document = cast("Mapping[str | int, object]", document).get(part)
    return document


def _equal(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _text(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
