"""Whether a database can be reached, and how long it takes to keep something in it."""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import sqlalchemy

from nasablate.store.database import open_database, sqlite_path
from nasablate.store.failures import translated

_COMMITS = 20


@dataclass(frozen=True, slots=True)
class DatabaseProbe:
    """What was found at a database URL."""

    backend: str
    exists: bool
    """Whether there is a database of ours, to which studies would be added."""
    num_studies: int
    commit_ms: float
    """Median milliseconds of one durable write: SQLite in a file beside the database, a server
    in a temporary table."""


def probe_database(url: str) -> DatabaseProbe:
    """Look at a database without changing it.

    Raises:
        StoreError: it cannot be reached, read, or (SQLite) its folder cannot be written.
    """
    path = sqlite_path(url)
    exists = path is None or (path.is_file() and path.stat().st_size > 0)
    num_studies = 0
    if exists:
        database = open_database(url, create=False)
        num_studies = len(database.studies())
        database.close()
    with translated(url):
        if path is None:
            return DatabaseProbe("server", exists, num_studies, _commit_ms(url, "TEMPORARY"))
        folder = next(parent for parent in path.absolute().parents if parent.is_dir())
        with NamedTemporaryFile(dir=folder, suffix=".probe") as scratch:
            milliseconds = _commit_ms(f"sqlite:///{Path(scratch.name)}", "")
        return DatabaseProbe("sqlite", exists, num_studies, milliseconds)


def _commit_ms(url: str, kind: str) -> float:
    engine = sqlalchemy.create_engine(url)
    times: list[float] = []
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE {kind} TABLE probe (value INTEGER)"))
        connection.commit()
        for value in range(_COMMITS):
            started = time.perf_counter()
            insert = sqlalchemy.text("INSERT INTO probe VALUES (:value)")
            connection.execute(insert, {"value": value})
            connection.commit()
            times.append(time.perf_counter() - started)
    engine.dispose()
    return sorted(times)[len(times) // 2] * 1e3
