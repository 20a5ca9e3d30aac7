"""Every way a database can fail, as one kind of error that names the URL."""

import contextlib
from collections.abc import Generator

import sqlalchemy
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from nasablate.errors import StoreError

_REMEDIES = {
    "not a database": "name a database with --storage",
    "malformed": "put back a copy of it, or name another --storage",
    "no such": "put back a copy of it, or name another --storage",
    "locked": "stop the program that uses it, or wait",
    "readonly": "change its permissions, or name another --storage",
    "unable to open": "check its path and permissions, or name another --storage",
    "full": "free some disk space",
    "No space": "free some disk space",
    "I/O error": "check the disk and its free space",
    "denied": "change its permissions, or name another --storage",
}
"""By a part of what SQLite or the system says."""


def _remedy(said: str) -> str:
    for part, remedy in _REMEDIES.items():
        if part in said:
            return remedy
    return "check that it is there and complete, or name another --storage"


@contextlib.contextmanager
def translated(url: str) -> Generator[None]:
    """Turn a failure of the database at `url` into a `StoreError` of one line."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, OSError) as error:
        wrapped = isinstance(error, StorageInternalError) and error.__cause__ is not None
        cause = error.__cause__ if wrapped else error
        lines = str(getattr(cause, "orig", None) or cause).strip().splitlines() or [repr(cause)]
        message = f"{shown(url)} cannot be used: {lines[0]}; {_remedy(lines[0])}"
        raise StoreError(message) from error


@contextlib.contextmanager
def translated_opening(url: str) -> Generator[None]:
    """As `translated`, and also what only opening can meet."""
    try:
        with translated(url):
            yield
    except (ImportError, RuntimeError) as error:
        # A database driver that is not installed, or tables of another version of Optuna.
        found, remedy = str(error), "for PostgreSQL: pip install 'nasablate[postgres]'"
        if isinstance(error, RuntimeError):
            older, found = "storage upgrade" in found, found.partition(". ")[0]
            upgrade = f"optuna storage upgrade --storage {shown(url)}"
            remedy = upgrade if older else "pip install --upgrade optuna"
        message = f"{shown(url)} cannot be used: {found}; {remedy}"
        raise StoreError(message) from error


def shown(url: str) -> str:
    """Return the URL as it may be printed: without its password."""
    return sqlalchemy.make_url(url).render_as_string(hide_password=True)
