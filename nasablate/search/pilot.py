"""How much differences of paired errors vary, from a pilot: stated, or measured in a study."""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from nasablate.errors import Problem, SpecError
from nasablate.genome import AblationSpec
from nasablate.genome.ablation import Pilot
from nasablate.search.records_csv import Row, read_records

_LOC = ("pilot",)
Errors = Mapping[int, float]
"""Error in percent by seed."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The standard deviation of the difference of two arms on one seed."""

    sd: float
    """Percentage points."""
    freedom: int | None
    """Degrees of freedom behind it; None for a stated number."""
    source: str

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {"sd_of_difference": self.sd, "freedom": self.freedom, "source": self.source}


def noise_of(spec: AblationSpec, folder: Path | None = None) -> Noise | None:
    """Return what the file's pilot says; None if there is none.

    Args:
        spec: The ablation.
        folder: Of the ablation's file, beside which a pilot's records may lie.

    Raises:
        SpecError: the records cannot be read, or have no network on two seeds.
    """
    pilot = spec.pilot
    if pilot is None:
        return None
    if pilot.sd is not None:
        return _stated(pilot.sd, pilot)
    assert pilot.records is not None
    path = _find(pilot.records, folder)
    try:
        rows = read_records(path)
    except SpecError as error:
        found = error.problems[0]
        raise SpecError(
            Problem("pilot", pilot.records, found.rule, found.remedy, loc=_LOC)
        ) from None
    return _measured(list(_errors(rows, spec.evaluate).values()), pilot.records, spec.evaluate)


def _stated(sd: float, pilot: Pilot) -> Noise:
    difference = sd * math.sqrt(2 * (1 - pilot.correlation))
    source = f"stated: sd {sd:g} of an arm, correlation {pilot.correlation:g}"
    return Noise(difference, None, source)


def _find(records: str, folder: Path | None) -> Path:
    beside = Path(records) if folder is None else folder / records
    return beside if beside.is_file() else Path(records)


def _errors(rows: Sequence[Row], part: str) -> dict[tuple[str, str], dict[int, float]]:
    """Return the errors by network and recipe, then by seed."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        error, said = _error(row, part), row.attributes
        seed = said.get("seed")
        if row.state == "complete" and error is not None and isinstance(seed, int):
            key = str(said.get("network_digest")), str(said.get("recipe_digest"))
            found.setdefault(key, {})[seed] = error
    return found


def _error(row: Row, part: str) -> float | None:
    if part == "test":
        return row.readings[-1].error if row.readings else None
    return row.curve[-1].val_error if row.curve else None


def _measured(arms: Sequence[Errors], records: str, part: str) -> Noise:
    """Pool the variances of the differences of all pairs of arms that share two seeds or more."""
    pairs = list(_differences(arms))
    several = [own for own in arms if len(own) > 1]
    if pairs:
        pooled = _pooled(pairs)
        freedom = max(len(own) for own in arms) - 1
        count = f"{len(arms)} arms on up to {freedom + 1} shared seeds"
    elif several:
        pooled = 2 * _pooled([list(own.values()) for own in several])
        freedom = sum(len(own) - 1 for own in several)
        count = f"{freedom + len(several)} errors, no pairs, correlation taken as 0"
    else:
        rule = f"has no network with {part} errors on two seeds or more"
        remedy = "name the records of a study with replicates, or give {sd: ...}"
        raise SpecError(Problem("pilot", records, rule, remedy, loc=_LOC))
    if pooled == 0:
        rule = "all differences in it are equal, so it says nothing about the noise"
        raise SpecError(Problem("pilot", records, rule, "give {sd: ...}", loc=_LOC))
    return Noise(math.sqrt(pooled), freedom, f"{records}: {count}")


def _pooled(samples: Sequence[Sequence[float]]) -> float:
    """Return the pooled variance of samples of two values or more."""
    total = sum((len(values) - 1) * statistics.variance(values) for values in samples)
    return total / sum(len(values) - 1 for values in samples)


def _differences(arms: Sequence[Errors]) -> Iterator[list[float]]:
    for one, other in combinations(arms, 2):
        shared = sorted(one.keys() & other.keys())
        if len(shared) > 1:
            yield [other[seed] - one[seed] for seed in shared]
