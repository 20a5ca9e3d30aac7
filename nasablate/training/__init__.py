"""Training, evaluation and their records; nothing here knows of searches or databases.

The records need no torch; the functions load it when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

from nasablate.training.job import EpochRecord, Outcome, TestResult, TrainJob, job_digest

if TYPE_CHECKING:
    from nasablate.training.environment import manifest
    from nasablate.training.evaluation import evaluate_test
    from nasablate.training.loop import fit
    from nasablate.training.measure import step_seconds

__all__ = [
    "EpochRecord",
    "Outcome",
    "TestResult",
    "TrainJob",
    "evaluate_test",
    "fit",
    "job_digest",
    "manifest",
    "step_seconds",
]

_HOMES = {
    "evaluate_test": "nasablate.training.evaluation",
    "fit": "nasablate.training.loop",
    "manifest": "nasablate.training.environment",
    "step_seconds": "nasablate.training.measure",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
