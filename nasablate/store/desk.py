"""What optuna-dashboard shows of a study besides its trials: notes and pinned figures.

It keeps both as system attributes of the study. Its own functions write each piece of 2,045
characters in a transaction of its own, and read all attributes again each time; here everything
that changed is written in one, so that nobody reads half a figure. A test reads it back by
optuna-dashboard itself.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage

from nasablate.store.failures import translated

_NOTE_VERSION, _NOTE = "dashboard:note_ver", "dashboard:note_str:"
_FIGURE = "dashboard:plot_data:"
_OURS = "nasablate:note_ver"
"""Version of the study's note that we wrote; another one was written by hand."""
_PASSING = "nasablate:passing:"
"""With a trial's id the version of our note on it before its end."""
_DELETE = "DELETE FROM study_system_attributes WHERE study_id = :study AND key = :key"
_INSERT = (
    "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES (:study, :key, :value)"
)


@dataclass(frozen=True)
class DeskContent:
    """What is to lie on the desk of a study."""

    note: str
    """On the study, in Markdown."""
    trial_notes: Mapping[int, str] = field(default_factory=dict[int, str])
    """By trial number; a note that is there stays, unless it is ours of a trial not finished."""
    figures: Mapping[str, str] = field(default_factory=dict[str, str])
    """Plotly figures as JSON by their identifier."""
    open_trials: frozenset[int] = frozenset()
    """Numbers of trials that have not finished, so that their notes are written again."""


class Desk:
    """Notes and figures of one study."""

    def __init__(self, storage: RDBStorage, url: str, study_id: int) -> None:
        self._storage = storage
        self._url = url
        self._study_id = study_id

    def trials_with_note(self) -> set[int]:
        """Return the numbers of the trials whose note stays: ours at their end, or one by hand."""
        with translated(self._url):
            keys = self._storage.get_study_system_attrs(self._study_id)
            return {
                number
                for number, trial_id in self._trial_ids().items()
                if not _can_be_written(keys, trial_id)
            }

    def put(self, content: DeskContent) -> int:
        """Write what differs from what is there, and return how many attributes changed.

        A note that was edited by hand in the dashboard is left as it is.
        """
        with translated(self._url):
            present = self._storage.get_study_system_attrs(self._study_id)
            wanted = dict(self._wanted(content, present))
            stale = set(_stale(content, present, wanted))
            rows: list[dict[str, Any]] = [
                {"study": self._study_id, "key": key, "value": json.dumps(value)}
                for key, value in wanted.items()
                if key not in present or present[key] != value
            ]
            gone = [{"study": self._study_id, "key": key} for key in stale]
            if rows or gone:
                with self._storage.engine.begin() as connection:
                    keys = gone + [{"study": row["study"], "key": row["key"]} for row in rows]
                    connection.execute(sqlalchemy.text(_DELETE), keys)
                    if rows:
                        connection.execute(sqlalchemy.text(_INSERT), rows)
        return len(rows) + len(gone)

    def _wanted(
        self, content: DeskContent, present: Mapping[str, Any]
    ) -> Iterator[tuple[str, object]]:
        version = present.get(_NOTE_VERSION, 0)
        is_ours = version == present.get(_OURS, 0)
        if is_ours and present.get(f"{_NOTE}0") != content.note:
            yield _NOTE_VERSION, version + 1
            yield _OURS, version + 1
            yield f"{_NOTE}0", content.note
        trial_ids = self._trial_ids() if content.trial_notes else {}
        for number, note in content.trial_notes.items():
            trial_id = trial_ids[number]
            prefix, passing = f"dashboard:{trial_id}:", f"{_PASSING}{trial_id}"
            version = present.get(f"{prefix}note_ver", 0)
            if note != present.get(f"{prefix}note_str:0") and _can_be_written(present, trial_id):
                yield f"{prefix}note_ver", version + 1
                yield f"{prefix}note_str:0", note
                if number in content.open_trials:
                    yield passing, version + 1
        for key, figure in content.figures.items():
            yield f"{_FIGURE}{key}:0", figure

    def _trial_ids(self) -> dict[int, int]:
        # Optuna's own way loads every trial; these columns are as old as its tables.
        query = sqlalchemy.text("SELECT number, trial_id FROM trials WHERE study_id = :id")
        with self._storage.engine.connect() as connection:
            rows = connection.execute(query, {"id": self._study_id}).all()
        return {int(number): int(trial_id) for number, trial_id in rows}


def _can_be_written(present: Mapping[str, Any], trial_id: int) -> bool:
    """Whether a trial has no note, or ours from before its end."""
    version = present.get(f"dashboard:{trial_id}:note_ver")
    return version is None or version == present.get(f"{_PASSING}{trial_id}")


def _stale(
    content: DeskContent, present: Mapping[str, Any], wanted: Mapping[str, object]
) -> Iterator[str]:
    """Yield the further pieces of notes and figures that are written anew in one piece."""
    for key in present:
        if key in wanted:
            continue
        if key.startswith(_NOTE) and f"{_NOTE}0" in wanted:
            yield key
        figure = key.removeprefix(_FIGURE).rpartition(":")[0]
        if key.startswith(_FIGURE) and figure in content.figures:
            yield key
