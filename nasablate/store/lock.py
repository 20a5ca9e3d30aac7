"""One driver per study: a lock that the kernel gives back however the driver ends."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from nasablate.errors import StoreError


@contextlib.contextmanager
def driver_lock(folder: Path) -> Generator[None]:
    """Hold ``driver.lock`` in the study's folder, which is made if it is missing.

    Raises:
        StoreError: another process holds it; the message names that process.
    """
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
