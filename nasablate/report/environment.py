"""What trials ran on, summed up over a study: one value where all agree, all where they differ."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nasablate.analysis.wording import plural
from nasablate.report.tables import plain
from nasablate.store import TrialRecord

_OF_THE_TRIAL = frozenset({"job", "data_fingerprint", "execution_reason"})
"""Fields of a manifest that say what was trained, not on what."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One property of the environment."""

    what: str
    """``torch``, ``device`` and so on."""
    values: tuple[tuple[str, int], ...]
    """Every value with its number of trials, the most frequent first."""

    @property
    def differs(self) -> bool:
        """Whether not all trials agree."""
        return len(self.values) > 1

    @property
    def text(self) -> str:
        """Return the values."""
        if not self.differs:
            return self.values[0][0]
        return "; ".join(f"{value} ({plural(count, 'trial')})" for value, count in self.values)

    def document(self) -> dict[str, Any]:
        """Return the fact as plain JSON data."""
        return {"what": self.what, "values": [list(pair) for pair in self.values]}


@dataclass(frozen=True, slots=True)
class Environment:
    """What the finished trials of a study ran on."""

    facts: tuple[Fact, ...]
    num_trials: int
    """Finished trials with a manifest."""
    num_silent: int
    """Finished trials without one."""

    @property
    def differing(self) -> tuple[Fact, ...]:
        """Return what not all trials agree on."""
        return tuple(fact for fact in self.facts if fact.differs)


def environment_of(trials: Sequence[TrialRecord]) -> Environment:
    """Sum up the manifests of trials that have run."""
    complete = [trial for trial in trials if trial.state in {"complete", "pruned"}]
    found = [manifest for trial in complete if (manifest := _manifest(trial))]
    counted: dict[str, Counter[str]] = {}
    for manifest in found:
        for what, value in _fields(manifest):
            counted.setdefault(what, Counter())[value] += 1
    facts = tuple(Fact(what, tuple(values.most_common())) for what, values in counted.items())
    return Environment(facts, len(found), len(complete) - len(found))


def _manifest(trial: TrialRecord) -> dict[str, Any]:
    try:
        found = json.loads(trial.attributes.get("manifest", "{}"))
    except (TypeError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _fields(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in manifest.items():
        if key in _OF_THE_TRIAL:
            continue
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            prefix = "nasablate " if key == "code" else ""
            for name, entry in inner.items():
                yield f"{prefix}{name.replace('_', ' ')}", plain(entry)
        else:
            yield key.replace("_", " "), plain(value)
