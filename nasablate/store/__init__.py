"""The study's database: the only place that touches Optuna's storage and our own tables."""

from nasablate.store.database import (
    DEFAULT_URL,
    Database,
    database_exists,
    open_database,
    sqlite_path,
    study_folder,
)
from nasablate.store.lock import driver_lock
from nasablate.store.records import (
    FINISHED,
    Epoch,
    EpochLike,
    NewTrial,
    ParamValue,
    State,
    StudySummary,
    TestReading,
    TrialRecord,
)
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
    "State",
    "StudyStore",
    "StudySummary",
    "TestReading",
    "TrialRecord",
    "canonical",
    "database_exists",
    "driver_lock",
    "now",
    "open_database",
    "sqlite_path",
    "study_folder",
]
