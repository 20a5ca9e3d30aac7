"""Downloads one file: goes on where it broke off, checks the sum, and puts it in place at once."""

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import requests

from nasablate.data.limits import format_size
from nasablate.errors import DataError

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes there are and the bytes there will be, None while that is unknown."""

_CHUNK = 2**14
"""Less than a chunk is lost when the connection breaks."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is waited for, and how often it is asked again."""

    connect_seconds: float = 10
    stall_seconds: float = 30
    """Without a single byte."""
    attempts: int = 5
    """In a row without a single new byte."""
    pause_seconds: float = 1
    """Before the second attempt; doubled each time."""


class _BrokenError(Exception):
    """This attempt failed; the next may not."""


def download(
    url: str,
    target: Path,
    md5: str,
    on_progress: OnProgress,
    patience: Patience | None = None,
) -> None:
    """Download ``url`` to ``target``, which appears only when it is whole and its sum is right.

    What has arrived is kept as ``NAME.part`` and used by the next call.

    Args:
        url: Where the file lies.
        target: Where it goes; its folder is made.
        md5: The sum as published, in hex.
        on_progress: Hears of every chunk.
        patience: With slow servers and broken connections.

    Raises:
        DataError: no connection, a refusing or silent server, a full disk, or a wrong sum.
    """
    patience = patience or Patience()
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as file, _alone(file, part):
            resumed = _size(file) > 0
            _fetch(url, file, on_progress, patience)
            if resumed and _md5(file) != md5:
                # What an earlier call left may be of another file: once more from the beginning.
                file.truncate(0)
                _fetch(url, file, on_progress, patience)
            _check_sum(url, part, file, md5)
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
    except OSError as error:
        raise _disk_error(part, error) from error


def _fetch(url: str, file: BinaryIO, on_progress: OnProgress, patience: Patience) -> None:
    """Append to ``file`` until the server says that it is whole."""
    failures, farthest = 0, _size(file)
    with requests.Session() as session:
        while True:
            try:
                _attempt(session, url, file, on_progress, patience)
            except (_BrokenError, requests.RequestException) as error:
                # Bytes that a server without ranges sends a second time are not new.
                failures = 0 if _size(file) > farthest else failures + 1
                farthest = max(farthest, _size(file))
                if failures >= patience.attempts:
                    raise _unreachable(url, file, error, patience) from error
                time.sleep(patience.pause_seconds * 2 ** max(failures - 1, 0))
            else:
                return


def _attempt(
    session: requests.Session,
    url: str,
    file: BinaryIO,
    on_progress: OnProgress,
    patience: Patience,
) -> None:
    have = _size(file)
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    timeouts = (patience.connect_seconds, patience.stall_seconds)
    with session.get(url, headers=headers, stream=True, timeout=timeouts) as response:
        if response.status_code == requests.codes.range_not_satisfiable:
            return  # nothing is missing; the sum will tell
        _check_status(url, response)
        if response.status_code != requests.codes.partial_content:
            file.truncate(0)
            have = 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        _check_room(file, total, have)
        on_progress(have, total)
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            have += len(chunk)
            on_progress(have, total)
        file.flush()
        if total is not None and have < total:
            message = f"the connection ended after {have} of {total} bytes"
            raise _BrokenError(message)


def _check_status(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status in {requests.codes.ok, requests.codes.partial_content}:
        return
    reason = f"{status} {response.reason}"
    if status >= 500 or status == requests.codes.too_many_requests:
        raise _BrokenError(reason)
    message = f"{url}: the server answers {reason}; check the address, or name a --mirror"
    raise DataError(message)


def _check_room(file: BinaryIO, total: int | None, have: int) -> None:
    folder = Path(file.name).parent
    free = shutil.disk_usage(folder).free
    if total is not None and free < total - have:
        message = (
            f"{folder}: {format_size(free)} are free, {format_size(total - have)} are needed; make"
            " room, or set NASABLATE_DATA to a folder on another disk"
        )
        raise DataError(message)


def _check_sum(url: str, part: Path, file: BinaryIO, md5: str) -> None:
    found = _md5(file)
    if found != md5:
        part.unlink(missing_ok=True)
        message = (
            f"{url}: the file has the MD5 sum {found}, the published one is {md5}; it was removed:"
            " try again, or name another --mirror"
        )
        raise DataError(message)


def _unreachable(url: str, file: BinaryIO, error: Exception, patience: Patience) -> DataError:
    # A time-out amid the body comes as a ConnectionError.
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        reason = f"the server sent nothing for {patience.stall_seconds:g} s"
    elif isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        reason = "no connection, or it broke"
    else:
        reason = " ".join(str(error).split())
    have = _size(file)
    kept = f"; {format_size(have)} are kept, the same command goes on from there" if have else ""
    message = (
        f"{url}: {reason} ({patience.attempts} attempts); check the network, or name a --mirror"
        f"{kept}"
    )
    return DataError(message)


def _disk_error(part: Path, error: OSError) -> DataError:
    if error.errno in _NO_ROOM:
        remedy = "make room, or set NASABLATE_DATA to a folder on another disk"
    else:
        remedy = "check the rights, or set NASABLATE_DATA to another folder"
    return DataError(f"{part}: cannot be written ({error.strerror or error}); {remedy}")


@contextlib.contextmanager
def _alone(file: BinaryIO, part: Path) -> Generator[None]:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = f"{part}: another process is downloading this file; wait for it or stop it"
        raise DataError(message) from None
    yield


def _size(file: BinaryIO) -> int:
    file.flush()
    return os.fstat(file.fileno()).st_size


def _md5(file: BinaryIO) -> str:
    file.flush()
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := file.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()
