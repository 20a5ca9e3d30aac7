"""One driver per study: a lock that is given back however the driver ends.

Beside an SQLite file it is a locked file, which the kernel gives back. On PostgreSQL, which drivers
on several machines may share, it is an advisory lock, which the server gives back when the driver's
connection ends.
"""

import contextlib
import fcntl
import hashlib
import os
import socket
from collections.abc import Generator
from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from nasablate.errors import StoreError
from nasablate.store.database import is_server, study_folder
from nasablate.store.failures import translated

_SECONDS_OF_SILENCE = {"idle": 30, "interval": 10, "count": 3}
"""After these the server takes a driver for gone whose machine went down without a word."""


@contextlib.contextmanager
def driver_lock(url: str, name: str) -> Generator[None]:
    """Be the only driver of a study of the database at `url` while inside.

    Raises:
        StoreError: another process is its driver; the message names that process.
    """
    if is_server(url):
        with _server_lock(url, name):
            yield
    else:
        with _file_lock(study_folder(url, name)):
            yield


@contextlib.contextmanager
def _file_lock(folder: Path) -> Generator[None]:
    """Hold ``driver.lock`` in the study's folder, which is made if it is missing."""
    path = folder / "driver.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        message = (
            f"{path} cannot be written: {error.strerror}; free its place or name another --storage"
        )
        raise StoreError(message) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            message = (
                f"study {folder.name!r} is being run by process {holder} ({path});"
                " wait for it or stop it"
            )
            raise StoreError(message) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _server_lock(url: str, name: str) -> Generator[None]:
    """Hold the study's advisory lock on a connection of its own."""
    engine = sqlalchemy.create_engine(
        url, poolclass=sqlalchemy.NullPool, isolation_level="AUTOCOMMIT"
    )
    try:
        with translated(url):
            connection = engine.connect()
            taken = _take(connection, name)
            holder = "" if taken else _holder(connection, name)
        if not taken:
            message = f"study {name!r} is being run by {holder}; wait for it or stop it"
            raise StoreError(message)
        try:
            yield
        finally:
            with contextlib.suppress(SQLAlchemyError):  # gone with the connection then
                connection.close()
    finally:
        engine.dispose()


def _take(connection: sqlalchemy.Connection, name: str) -> bool:
    for setting, value in _SECONDS_OF_SILENCE.items():
        connection.execute(sqlalchemy.text(f"SET tcp_keepalives_{setting} = {value}"))
    # What other drivers are told; PostgreSQL cuts it after 63 bytes.
    who = {"who": f"nasablate {os.getpid()} {socket.gethostname()}"}
    connection.execute(sqlalchemy.text("SELECT set_config('application_name', :who, false)"), who)
    found = connection.execute(
        sqlalchemy.text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(name)}
    )
    return bool(found.scalar())


def _holder(connection: sqlalchemy.Connection, name: str) -> str:
    """Return which process holds a study's lock, in words."""
    high, low = divmod(_key(name) % 2**64, 2**32)
    query = sqlalchemy.text(
        "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND classid = :high AND objid = :low"
        " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    found = connection.execute(query, {"high": high, "low": low}).scalar()
    said, _, rest = str(found or "").partition(" ")
    number, _, host = rest.partition(" ")
    return f"process {number} on {host}" if said == "nasablate" else "another process"


def _key(name: str) -> int:
    """Return the number of a study's lock, the same for every driver: 64 bits with a sign."""
    return int.from_bytes(hashlib.sha256(f"nasablate {name}".encode()).digest()[:8], signed=True)
