"""Every way a database can fail, as one kind of error that names the URL."""

import contextlib
from collections.abc import Generator

import sqlalchemy
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from nasablate.errors import StoreError


@contextlib.contextmanager
def translated(url: str) -> Generator[None]:
    """Turn a failure of the database at `url` into a `StoreError` of one line."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, OSError) as error:
        wrapped = isinstance(error, StorageInternalError) and error.__cause__ is not None
        cause = error.__cause__ if wrapped else error
        lines = str(getattr(cause, "orig", None) or cause).strip().splitlines() or [repr(cause)]
        message = f"{shown(url)} cannot be used: {lines[0]}"
        raise StoreError(message) from error


@contextlib.contextmanager
def translated_opening(url: str) -> Generator[None]:
    """As `translated`, and also what only opening can meet."""
    try:
        with translated(url):
            yield
    except (ImportError, RuntimeError) as error:
        # A database driver that is not installed, or tables of another version of Optuna.
        remedy = "; for PostgreSQL: pip install 'nasablate[postgres]'"
        message = f"{shown(url)} cannot be used: {error}"
        message += remedy if isinstance(error, ImportError) else ""
        raise StoreError(message) from error


def shown(url: str) -> str:
    """Return the URL as it may be printed: without its password."""
    return sqlalchemy.make_url(url).render_as_string(hide_password=True)
