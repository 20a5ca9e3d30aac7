"""Permissions that hold for root too, so that tests of them need no other user."""

import ctypes
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager

_MAY_WRITE_ALL, _MAY_READ_ALL = 1, 2
"""Of Linux's capabilities."""
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("effective", "permitted", "inherited"))


@contextmanager
def as_mere_mortal() -> Generator[None]:
    """Take from this thread, if it is root's, the right to pass over permissions."""
    if os.geteuid() != 0 or sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = _Header(_VERSION_3, 0), (_Sets * 2)()
    _check(libc.capget(ctypes.byref(header), before))
    mortal = (_Sets * 2).from_buffer_copy(before)
    mortal[0].effective &= ~(1 << _MAY_WRITE_ALL | 1 << _MAY_READ_ALL)
    _check(libc.capset(ctypes.byref(header), mortal))
    try:
        yield
    finally:
        _check(libc.capset(ctypes.byref(header), before))


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), "cannot change capabilities")
