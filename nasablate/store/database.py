"""One database URL for everything: Optuna's tables, our tables, and the folder beside them.

The rows are the only truth about a study: whoever opens the database again after a crash
finds all that is needed to go on. One process writes a study at a time (`lock.py`); any
number may read. Every failure of the database is a `StoreError` that names the URL.
"""

import contextlib
import logging
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from nasablate.errors import StoreError
from nasablate.genome.space import Direction
from nasablate.store.failures import shown, translated, translated_opening
from nasablate.store.records import StudySummary
from nasablate.store.study import NewStudy, StudyStore, create_study, find_study, list_studies
from nasablate.store.tables import METADATA

DEFAULT_URL = "sqlite:///runs/nasablate.db"

_LOCK_TIMEOUT_SECONDS = 60
_OPENINGS = 8
_PAUSE_SECONDS = 0.25


class Database:
    """An open database; see `open_database`."""

    def __init__(self, url: str, storage: RDBStorage) -> None:
        self.url = url
        self._storage = storage

    def studies(self) -> list[StudySummary]:
        """Return every study of ours, in the order they were made."""
        with translated(self.url):
            return list_studies(self._storage)

    def find(self, name: str) -> StudyStore | None:
        """Return the study of that name, or None."""
        return find_study(self._storage, self.url, name, study_folder(self.url, name))

    def study(self, name: str) -> StudyStore:
        """Return the study of that name.

        Raises:
            StoreError: there is none; the message lists those there are.
        """
        found = self.find(name)
        if found is None:
            names = ", ".join(study.name for study in self.studies()) or "none yet"
            message = f"study {name!r} is not in {shown(self.url)}; it has: {names}"
            raise StoreError(message)
        return found

    def create(
        self, name: str, objectives: Mapping[str, Direction], attributes: Mapping[str, Any]
    ) -> StudyStore:
        """Make an empty study; `attributes` are its user attributes.

        Raises:
            StoreError: a study of that name exists.
        """
        if self.find(name) is not None:
            message = f"study {name!r} already exists in {shown(self.url)}; choose another name"
            raise StoreError(message)
        return create_study(
            self._storage,
            self.url,
            NewStudy(name, objectives, attributes),
            study_folder(self.url, name),
        )

    def close(self) -> None:
        """Release the connections."""
        self._storage.engine.dispose()


def open_database(url: str = DEFAULT_URL, *, create: bool = True) -> Database:
    """Open the database, making it and its folder if `create` allows.

    Raises:
        StoreError: the URL, the file or the server cannot be used.
    """
    path = sqlite_path(url)
    is_new = path is not None and (not path.exists() or path.stat().st_size == 0)
    arguments: dict[str, object] = (
        {} if path is None else {"connect_args": {"timeout": _LOCK_TIMEOUT_SECONDS}}
    )
    # Optuna reports every created study on stderr; our own progress says it better.
    logging.getLogger("optuna").setLevel(logging.WARNING)
    with translated_opening(url), _nothing_begun(path):
        if path is not None:
            _check_file(path, create=create)
        if path is not None and not is_new:
            _refuse_foreign(url, arguments)
        for _ in range(_OPENINGS):
            with contextlib.suppress(_MadeMeanwhileError):
                storage = _open_storage(url, arguments, wal=path is not None and is_new)
                if create or _has_ours(storage):
                    _make_tables(storage)
                return Database(url, storage)
            time.sleep(_PAUSE_SECONDS)
    message = f"{shown(url)} cannot be used: other programs keep changing its tables; try again"
    raise StoreError(message)


@contextlib.contextmanager
def _nothing_begun(path: Path | None) -> Generator[None]:
    """Take away the empty file and folder that stay where a database could not be begun."""
    had_file = path is None or path.exists()
    had_folder = path is None or path.parent.exists()
    try:
        yield
    except Exception:
        with contextlib.suppress(OSError):
            if path is not None and not had_file and path.stat().st_size == 0:
                path.unlink()
        with contextlib.suppress(OSError):
            if path is not None and not had_folder:
                path.parent.rmdir()  # only an empty one goes
        raise


class _MadeMeanwhileError(Exception):
    """Another program made the tables at the same moment."""


def _open_storage(url: str, arguments: dict[str, object], *, wal: bool) -> RDBStorage:
    try:
        storage = RDBStorage(url, engine_kwargs=arguments)
        if wal:
            # Write-ahead logging is a lasting property of the file. Readers such as
            # optuna-dashboard then never block the driver. synchronous stays FULL: a commit
            # costs about 1 ms more than NORMAL and survives a power cut.
            with storage.engine.connect() as connection:
                connection.execute(sqlalchemy.text("PRAGMA journal_mode=WAL"))
    except SQLAlchemyError as error:
        # Switching to the write-ahead log does not wait for a lock as everything else does.
        _check_meanwhile(error, or_locked=wal)
        raise
    return storage


def _make_tables(storage: RDBStorage) -> None:
    try:
        METADATA.create_all(storage.engine)
    except SQLAlchemyError as error:
        _check_meanwhile(error)
        raise


def _check_meanwhile(error: SQLAlchemyError, *, or_locked: bool = False) -> None:
    text = str(error)
    taken = "already exists" in text or (or_locked and "is locked" in text)
    if taken or isinstance(error, IntegrityError):
        raise _MadeMeanwhileError(text.splitlines()[0]) from error


def _has_ours(storage: RDBStorage) -> bool:
    """Tell whether we have written here; who only reads adds nothing to another's database."""
    present = sqlalchemy.inspect(storage.engine).get_table_names()
    return not METADATA.tables.keys().isdisjoint(present)


def database_exists(url: str) -> bool:
    """Whether there is something to open at the URL; servers are assumed to be there."""
    path = sqlite_path(url)
    return path is None or (path.is_file() and path.stat().st_size > 0)


def study_folder(url: str, name: str) -> Path:
    """Return where the files of a study live: beside an SQLite file, else under ``runs``."""
    path = sqlite_path(url)
    return (Path("runs") if path is None else path.parent).absolute() / name


def is_server(url: str) -> bool:
    """Tell whether the database is PostgreSQL's, which programs on several machines may share."""
    return sqlite_path(url) is None and sqlalchemy.make_url(url).get_backend_name() == "postgresql"


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite URL, None for a database server.

    >>> sqlite_path("sqlite:///runs/nasablate.db")
    PosixPath('runs/nasablate.db')

    Raises:
        StoreError: this is no database URL, or one without a file.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except SQLAlchemyError:
        message = f"{url!r} is no database URL; write for example {DEFAULT_URL}"
        raise StoreError(message) from None
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        message = f"{url} has no file, so nothing would survive; write for example {DEFAULT_URL}"
        raise StoreError(message)
    return Path(parsed.database.removeprefix("file:"))


def _refuse_foreign(url: str, arguments: Mapping[str, Any]) -> None:
    """Refuse the database of another program, since opening it would add tables to it."""
    engine = sqlalchemy.create_engine(url, **arguments)
    inspector = sqlalchemy.inspect(engine)
    names = set(inspector.get_table_names())
    columns = (
        {column["name"] for column in inspector.get_columns("studies")}
        if "studies" in names
        else set[str]()
    )
    engine.dispose()
    if names and "study_name" not in columns and "version_info" not in names:
        message = f"{shown(url)} is a database of another program; name another --storage"
        raise StoreError(message)


def _check_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        message = f"{path} is a folder, not a database; name a file in it"
        raise StoreError(message)
    if path.exists():
        return
    if not create:
        message = f"there is no database at {path}; run a search first or name another --storage"
        raise StoreError(message)
    folder = path.parent
    if not folder.exists() and not folder.absolute().parent.is_dir():
        message = f"the folder {folder} of the database does not exist; make it first"
        raise StoreError(message)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        message = (
            f"the folder {folder} of the database cannot be made: {error.strerror}; change that, or"
        )
        message += " name another --storage"
        raise StoreError(message) from error
