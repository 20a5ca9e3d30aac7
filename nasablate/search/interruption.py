"""Ctrl-C and SIGTERM, turned into an orderly end."""

import contextlib
import signal
import threading
from collections.abc import Generator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, a signal raises KeyboardInterrupt; inside `shield` it is only noted."""

    def __init__(self) -> None:
        self.requested = False
        self._shields = 0
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
        again = self.requested
        self.requested = True
        if self._shields == 0 or again:
            raise KeyboardInterrupt
