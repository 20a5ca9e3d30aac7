"""Shows on stderr how far a long count of cells is."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console

from nasablate.cli.output import format_seconds

_QUIET_SECONDS = 1.0
"""Shorter counts are not shown."""
_LINE_SECONDS = 10.0
"""Between two lines where stderr is no terminal."""


class CountProgress:
    """Tells in words how far a count is, the first time after ``quiet`` seconds.

    Args:
        write: Shows a text.
        quiet: Seconds until the first text.
        every: Seconds between two texts.
        clock: Returns seconds.

    Example:
        >>> clock = iter([0.0, 0.5, 2.0, 3.0, 12.5]).__next__
        >>> progress = CountProgress(print, quiet=1, every=10, clock=clock)
        >>> for done in (100, 200, 300, 400, 500):
        ...     progress.on_count(done, 1000)
        300 of 1,000 cells counted, about 7 s left
        500 of 1,000 cells counted, about 16 s left
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        quiet: float,
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._every = every
        self._clock = clock
        self._quiet = quiet
        self._next: float | None = None
        self._began = (0, 0.0)

    def on_count(self, done: int, total: int) -> None:
        """Show it if it is time to."""
        now = self._clock()
        if self._next is None:
            self._began = (done, now)
            self._next = now + self._quiet
        if now < self._next:
            return
        self._next = now + self._every
        before, began = self._began
        left = (now - began) / max(1, done - before) * (total - done)
        self._write(f"{done:,} of {total:,} cells counted, about {format_seconds(left)} left")


@contextmanager
def show_count() -> Generator[Callable[[int, int], None]]:
    """Yield an observer of a count: a status line in a terminal, else a line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:

        def write(text: str) -> None:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

        yield CountProgress(write, quiet=_QUIET_SECONDS, every=_LINE_SECONDS).on_count
        return
    with console.status("") as status:
        status.stop()

        def show(text: str) -> None:
            status.update(text)
            status.start()

        yield CountProgress(show, quiet=_QUIET_SECONDS, every=0.5).on_count
