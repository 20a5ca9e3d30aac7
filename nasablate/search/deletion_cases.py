"""What a deletion study asks of each of its networks, and what it cannot ask and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nasablate.blueprint import Blueprint
from nasablate.genome import DeletionSpec
from nasablate.search.deletion_trials import Deletion, deletion_of_case
from nasablate.training.deletion.candidates import Candidate, deletable
from nasablate.training.deletion.cases import (
    Case,
    branch_scalings,
    downsampling_deletion,
    exchangeable_pairs,
    intact_case,
    most_exchanges,
    pair_deletions,
    possible_units,
    random_deletions,
    reorderings,
    single_deletions,
    stage_deletions,
)

MAX_LENGTHS = 24


@dataclass(frozen=True, slots=True)
class Questions:
    """All that is asked of one network."""

    deletions: tuple[Deletion, ...]
    """The intact network first."""
    candidates: tuple[Candidate, ...]
    """The units between stem and head."""
    notes: tuple[str, ...]
    """What the file asks that this network cannot answer, with the reason."""
    path_lengths: tuple[int, ...]
    """Empty if paths are not asked."""


def questions(spec: DeletionSpec, blueprint: Blueprint) -> Questions:
    """Return what the file asks of a network."""
    candidates = tuple(c for c in deletable(blueprint) if c.stage >= 0)
    cases = [intact_case(blueprint), *_deletions(spec, blueprint), *_changes(spec, blueprint)]
    return Questions(
        deletions=tuple(deletion_of_case(case, blueprint) for case in cases),
        candidates=candidates,
        notes=tuple(_notes(spec, blueprint, candidates)),
        path_lengths=_path_lengths(spec, candidates),
    )


def _deletions(spec: DeletionSpec, blueprint: Blueprint) -> Iterator[Case]:
    asked = spec.delete
    if asked.each:
        yield from single_deletions(blueprint)
    if asked.stages:
        yield from stage_deletions(blueprint)
    if asked.downsampling:
        yield from downsampling_deletion(blueprint)
    if asked.random is not None:
        most = len(possible_units(blueprint))
        asked_counts = asked.random.counts
        counts = range(1, most + 1) if asked_counts == "all" else asked_counts
        counts = [count for count in counts if count <= most]
        yield from random_deletions(blueprint, counts, asked.random.repeats, spec.seed)
    if asked.pairs:
        which = "adjacent" if asked.pairs == "adjacent" else "all"
        yield from pair_deletions(blueprint, which)


def _changes(spec: DeletionSpec, blueprint: Blueprint) -> Iterator[Case]:
    if spec.scale is not None:
        yield from branch_scalings(blueprint, spec.scale.factors)
    if spec.reorder is not None and exchangeable_pairs(blueprint):
        most = most_exchanges(blueprint)
        swaps = [count for count in spec.reorder.swaps if count <= most]
        yield from reorderings(blueprint, swaps, spec.reorder.repeats, spec.seed)


def _notes(
    spec: DeletionSpec, blueprint: Blueprint, candidates: tuple[Candidate, ...]
) -> Iterator[str]:
    possible = possible_units(blueprint)
    for candidate in candidates:
        if not candidate.possible:
            yield f"{candidate.name} cannot be deleted: {candidate.reason}"
    for count in _listed_counts(spec):
        if count > len(possible):
            yield f"no {count} random units: only {len(possible)} can be deleted"
    if spec.delete.downsampling and not downsampling_deletion(blueprint):
        yield "no downsampling unit can be deleted"
    if spec.reorder is not None:
        yield from _without_orders(spec.reorder.swaps, blueprint)
    if not any(candidate.way == "shortcut" for candidate in candidates):
        yield from _without_shortcuts(spec)


def _listed_counts(spec: DeletionSpec) -> tuple[int, ...]:
    if spec.delete.random is None or spec.delete.random.counts == "all":
        return ()
    return spec.delete.random.counts


def _without_orders(swaps: Sequence[int], blueprint: Blueprint) -> Iterator[str]:
    most = most_exchanges(blueprint)
    if most == 0:
        yield "no order but its own: no two units keep one and the same shape"
        return
    for count in swaps:
        if count > most:
            yield f"no {count} exchanges: after {most} every further one undoes others"


def _without_shortcuts(spec: DeletionSpec) -> Iterator[str]:
    if spec.scale is not None:
        yield "nothing to scale: no unit has a shortcut beside a branch"
    if spec.paths is not None:
        yield "no paths of different length: no unit has a shortcut beside a branch"


def _path_lengths(spec: DeletionSpec, candidates: tuple[Candidate, ...]) -> tuple[int, ...]:
    if spec.paths is None:
        return ()
    most = sum(candidate.way == "shortcut" for candidate in candidates)
    if most == 0:
        return ()
    if spec.paths.lengths is not None:
        return tuple(length for length in sorted(set(spec.paths.lengths)) if length <= most)
    steps = min(MAX_LENGTHS, most + 1)
    spread = {round(index * most / (steps - 1)) for index in range(steps)}
    return tuple(sorted(spread))
