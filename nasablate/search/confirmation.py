"""The best few of a search, to be trained again on seeds that the search never saw."""

from collections.abc import Mapping, Sequence

from nasablate.genome import SearchSpec
from nasablate.genome.space import Direction
from nasablate.store import TrialRecord

TEST_PURPOSE = "winner of the search, chosen by validation error on fresh seeds"


def objectives_of(spec: SearchSpec) -> dict[str, Direction]:
    """Return the objectives, the first of which ranks the candidates."""
    return {name: direction for name, direction in spec.objectives.items()}  # noqa: C416 - its type


def confirm_name(spec: SearchSpec) -> str:
    """Return the name of the study that confirms a search."""
    return confirmation_of(spec.name)


def confirmation_of(search: str) -> str:
    """Return the name of the study that confirms a search of this name."""
    return f"{search}.confirm"


def candidates(
    trials: Sequence[TrialRecord], objectives: Mapping[str, Direction], top: int
) -> list[TrialRecord]:
    """Return the best complete trials by the first objective; ties go to the earlier trial."""
    sign = 1 if next(iter(objectives.values())) == "minimize" else -1

    def rank(trial: TrialRecord) -> tuple[float, int]:
        assert trial.values is not None
        return sign * trial.values[0], trial.number

    complete = [trial for trial in trials if trial.state == "complete" and trial.values]
    return sorted(complete, key=rank)[:top]
