"""From points of a space to trials worth training: legal, within the limits, and new."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nasablate.errors import SpecError
from nasablate.search.samplers import (
    Draw,
    Known,
    PointsLike,
    Sampler,
    distribution,
    stream,
)
from nasablate.search.space import Assignment, Candidate
from nasablate.search.variant import Variant
from nasablate.store import NewTrial, ParamValue, canonical

MAX_RANDOM = 2000
"""When a sampler only repeats itself, so many random points are tried in a large space."""
MAX_CELLS = 100_000
"""A space of up to so many cells is walked through, and known to be used up in the end."""


@dataclass(frozen=True)
class Proposal:
    """A trial to make."""

    index: int
    """Number of the draw it came from, counting rejected ones."""
    key: str
    """See `evaluation_key`."""
    params: Mapping[str, ParamValue]
    distributions: Mapping[str, Any]
    attributes: Mapping[str, Any]
    """Everything that is known of the trial before it starts."""

    def new_trial(self, extra: Mapping[str, Any]) -> NewTrial:
        """Return the row, with some more attributes."""
        own = {"proposal": self.index, "evaluation_key": self.key}
        return NewTrial(self.params, self.distributions, {**self.attributes, **own, **extra})


class Proposer(Protocol):
    """Where a driver gets its trials from."""

    def propose(self, history: Sequence[Known]) -> Proposal | None:
        """Return the next trial, or None if there is none left; `note` then says why."""
        ...

    @property
    def note(self) -> str:
        """Why there was nothing left to propose."""
        ...


class SpaceLike(PointsLike, Protocol):
    """A space that says what its points are; see ``search.space.Space``."""

    def candidate(self, assignment: Assignment, /) -> Candidate:
        """Return what a point is, or raise SpecError if it is no legal network."""
        ...


@dataclass(frozen=True)
class Setting:
    """What all trials of a search share besides the space."""

    data_fingerprint: str
    seed: int
    threads: int
    workers: int = 1
    """Processes that share every batch."""
    trainings: int = 1
    """Of each network, on all seeds; no part of what identifies an evaluation."""


Network = Candidate | Variant
"""A network and how it is trained, resolved."""


def network_attributes(network: Network, setting: Setting) -> dict[str, Any]:
    """Return what a trial's row says of its network before it starts."""
    return {
        "genome": network.genome.readable_json(),
        "recipe": network.recipe.readable_json(),
        "network_digest": network.network_digest,
        "recipe_digest": network.recipe_digest,
        "data_fingerprint": setting.data_fingerprint,
        "seed": setting.seed,
        "threads": setting.threads,
        "params": network.cost.params,
        "macs": network.cost.macs,
        "activation_bytes": network.cost.activation_bytes,
        "epochs": network.recipe.epochs,
        **({"workers": setting.workers} if setting.workers > 1 else {}),
        **({"trainings": setting.trainings} if setting.trainings > 1 else {}),
    }


@dataclass
class SpaceProposer:
    """Draws from a space with a sampler and rejects what is not worth a trial.

    A draw is rejected if it is no legal network, breaks a limit, or has been tried. Rejected
    draws leave no trace but their number, which later proposals count on from.
    """

    space: SpaceLike
    sampler: Sampler
    setting: Setting
    sampler_seed: int
    note: str = ""
    rejections: dict[str, int] = field(default_factory=dict[str, int])
    """Rejected draws of this process by reason."""
    _keys: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """Evaluation key of every point looked at; None if it can never be a trial."""
    _last_violation: str = ""

    def propose(self, history: Sequence[Known]) -> Proposal | None:
        """Return the next trial that is new, or None if there is none."""
        seen = {known.key for known in history}
        index = 1 + max((known.proposal for known in history), default=-1)
        patience = self.sampler.patience
        for number in itertools.count(index):
            if patience is not None and number >= index + patience:
                return self._search_on(number, history, seen)
            draw = self.sampler.draw(number, history)
            if draw is None:
                self.note = self._exhausted(len(history))
                return None
            found = self._accept(number, draw, seen)
            if found is not None:
                return found
        return None

    def _search_on(self, index: int, history: Sequence[Known], seen: set[str]) -> Proposal | None:
        """Find a trial when the sampler only repeats itself."""
        num_cells = self.space.num_cells
        if num_cells is not None and num_cells <= MAX_CELLS:
            for cell in self._shuffled_cells():
                found = self._accept(index, Draw(cell), seen)
                if found is not None:
                    return found
            self.note = self._exhausted(len(history))
            return None
        rng = stream(self.sampler_seed, "search on", index)
        for _ in range(MAX_RANDOM):
            found = self._accept(index, Draw(self.space.random(rng)), seen)
            if found is not None:
                return found
        self.note = (
            f"no new network within the limits in {MAX_RANDOM} random draws after "
            f"{len(history)} distinct networks"
        ) + (f"; the last limit broken: {self._last_violation}" if self._last_violation else "")
        return None

    def _shuffled_cells(self) -> Iterator[Assignment]:
        cells = list(self.space.cells())
        stream(self.sampler_seed, "cells").shuffle(cells)
        return iter(cells)

    def _accept(self, index: int, draw: Draw, seen: set[str]) -> Proposal | None:
        point = canonical(draw.assignment)
        known = self._keys.get(point, "")
        if known is None or known in seen:
            self._count("already tried" if known else "known to be unusable")
            return None
        candidate = self._candidate(draw.assignment)
        if candidate is None:
            self._keys[point] = None
            return None
        key = evaluation_key(candidate, self.setting)
        self._keys[point] = key
        if key in seen:
            self._count("already tried")
            return None
        return self._proposal(index, key, draw, candidate)

    def _candidate(self, assignment: Assignment) -> Candidate | None:
        try:
            candidate = self.space.candidate(assignment)
        except SpecError:
            self._count("no legal network")
            return None
        if candidate.violations:
            self._count("outside the limits")
            self._last_violation = candidate.violations[0]
            return None
        return candidate

    def _proposal(self, index: int, key: str, draw: Draw, candidate: Candidate) -> Proposal:
        memory = {"sampler_memory": dict(draw.memory)} if draw.memory else {}
        return Proposal(
            index=index,
            key=key,
            params=draw.assignment,
            distributions={
                axis.name: distribution(axis)
                for axis in self.space.axes
                if axis.name in draw.assignment
            },
            attributes={**network_attributes(candidate, self.setting), **memory},
        )

    def _count(self, reason: str) -> None:
        self.rejections[reason] = self.rejections.get(reason, 0) + 1

    def _exhausted(self, num_tried: int) -> str:
        return f"space exhausted after {num_tried} distinct networks"


@dataclass
class ListProposer:
    """Proposes a fixed list of trials, in order."""

    proposals: Sequence[Proposal]
    note: str = ""

    def propose(self, history: Sequence[Known]) -> Proposal | None:
        """Return the first one that is not there yet."""
        present = {known.key for known in history}
        return next((item for item in self.proposals if item.key not in present), None)


def evaluation_key(candidate: Network, setting: Setting) -> str:
    """Return what identifies a training: equal keys would train to equal results."""
    return key_of(candidate.network_digest, candidate.recipe_digest, setting)


def key_of(network_digest: str, recipe_digest: str, setting: Setting) -> str:
    """Return the evaluation key of a network, recipe, data, seed and number of threads."""
    parts = [
        network_digest,
        recipe_digest,
        setting.data_fingerprint,
        setting.seed,
        setting.threads,
        *([setting.workers] if setting.workers > 1 else []),
    ]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()
