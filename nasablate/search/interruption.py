"""Ctrl-C and SIGTERM, turned into an orderly end."""

import contextlib
import signal
import threading
import time
from collections.abc import Generator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAME_SECONDS = 1.0
"""Signals so close together are one: ``timeout`` sends its to the command and to its group."""


class Interruption:
    """While entered, a signal raises KeyboardInterrupt; inside `shield` it is only noted.

    A second one raises it there, too.
    """

    def __init__(self) -> None:
        self.requested = False
        self._shields = 0
        self._first = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        """Install the handlers; a second entry installs them again, over Ray's."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.signal(number, self._handle)
                self._before.setdefault(number, before)
        return self

    def __exit__(self, *exception: object) -> None:
        """Put back the handlers that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    @contextlib.contextmanager
    def shield(self) -> Generator[None]:
        """Let what is inside finish; the interruption is raised after it."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if self.requested and self._shields == 0:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if not self.requested:
            self.requested, self._first = True, time.monotonic()
            if self._shields == 0:
                raise KeyboardInterrupt
        elif time.monotonic() - self._first > _SAME_SECONDS:
            raise KeyboardInterrupt
