"""Opens a database to read from it: whatever stands in there, the user gets one clear message."""

import logging
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from nasablate.errors import NasablateError, StoreError

if TYPE_CHECKING:
    from nasablate.store import Database, StudyStore


@contextmanager
def read_database(storage: str) -> Generator["Database"]:
    """Yield the database at a URL; records that make no sense are a `StoreError`.

    Raises:
        StoreError: there is no database, or it is damaged or not ours.
    """
    from nasablate.store import open_database

    try:
        with closing(open_database(storage, create=False)) as database:
            # Optuna warns before it fails; the failure says enough.
            logging.getLogger("optuna").setLevel(logging.ERROR)
            yield database
    except (NasablateError, OSError):
        raise
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        message = (
            f"{storage} holds records that cannot be read ({reason});"
            " it is damaged or not ours: restore a copy or name another --storage"
        )
        raise StoreError(message) from error


def study_of_ours(database: "Database", name: str) -> "StudyStore":
    """Return a study that nasablate made.

    Raises:
        StoreError: there is none of that name, or another program made it.
    """
    study = database.study(name)
    if not {"kind", "objectives"} <= study.attributes().keys():
        message = (
            f"study {name!r} in {database.url} was not made by nasablate;"
            " 'nasablate dashboard' shows it"
        )
        raise StoreError(message)
    return study
