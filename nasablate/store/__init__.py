"""The study's database: the only place that touches Optuna's storage and our own tables.

The records need neither; what opens a database is loaded when it is first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nasablate.store.records import (
    FINISHED,
    Epoch,
    EpochLike,
    NewTrial,
    ParamValue,
    State,
    Step,
    StudySummary,
    TestReading,
    TrialRecord,
)

if TYPE_CHECKING:
    from nasablate.store.database import (
        DEFAULT_URL,
        Database,
        database_exists,
        is_server,
        open_database,
        sqlite_path,
        study_folder,
    )
    from nasablate.store.lock import driver_lock
    from nasablate.store.predictions import Predictions
    from nasablate.store.study import EpochRow, StudyStore, canonical, now

__all__ = [
    "DEFAULT_URL",
    "FINISHED",
    "Database",
    "Epoch",
    "EpochLike",
    "EpochRow",
    "NewTrial",
    "ParamValue",
    "Predictions",
    "State",
    "Step",
    "StudyStore",
    "StudySummary",
    "TestReading",
    "TrialRecord",
    "canonical",
    "database_exists",
    "driver_lock",
    "is_server",
    "now",
    "open_database",
    "sqlite_path",
    "study_folder",
]

_HOMES = {
    "DEFAULT_URL": "database",
    "Database": "database",
    "database_exists": "database",
    "is_server": "database",
    "open_database": "database",
    "sqlite_path": "database",
    "study_folder": "database",
    "driver_lock": "lock",
    "Predictions": "predictions",
    "EpochRow": "study",
    "StudyStore": "study",
    "canonical": "study",
    "now": "study",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
