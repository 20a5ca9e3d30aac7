"""Shows a running search on stderr: a live table in a terminal, a line per event elsewhere."""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from nasablate.cli.output import ABSENT, format_error, format_seconds, plural

if TYPE_CHECKING:
    from nasablate.search.observer import Observer
    from nasablate.store import Epoch, State

_STATE_WORDS = {
    "complete": "complete",
    "pruned": "stopped early",
    "fail": "failed",
    "waiting": "interrupted",
    "running": "running",
}
_BAR_WIDTH = 20


def format_value(metric: str, value: float | None) -> str:
    """Return an objective's value as text, with its unit.

    >>> format_value("val_error", 2.5), format_value("params", 269722.0)
    ('2.50 %', '269,722')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    if metric == "val_error":
        return format_error(value)
    return f"{value:,.0f}" if value == round(value) else f"{value:.4g}"


@dataclass
class _Running:
    summary: str
    epochs: int
    epoch: int = 0
    error: float | None = None


class Tally:
    """What the events so far add up to; ``clock`` returns seconds.

    Example:
        >>> tally = Tally("val_error", "minimize", clock=lambda: 0.0)
        >>> tally.on_start(4, 1)
        >>> tally.progress_text()
        '1 of 4 trials done'
    """

    def __init__(
        self, metric: str, direction: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.metric = metric
        self.phase = "starting"
        self._list_phase = ""
        self.running: dict[int, _Running] = {}
        self.best: tuple[float, int, str] | None = None
        self._sign = 1 if direction == "minimize" else -1
        self._clock = clock
        self._total = 0
        self._finished = 0
        self._ended_here = 0
        self._ends: dict[str, int] = {}
        self._began: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is a list of trials."""
        return self._total > 0

    def on_start(self, total: int, finished: int) -> None:
        """Begin a list of trials; its phase is shown again once something it waits for is over."""
        self._list_phase = self.phase
        self.running.clear()
        self.best = None
        self._total, self._finished = total, finished
        self._ended_here = 0
        self._ends = {}
        self._began = None

    def on_best(self, number: int, summary: str, value: float) -> None:
        """Begin with the best trial of earlier runs."""
        if math.isfinite(value):
            self.best = (value, number, summary)

    def on_trial_start(self, number: int, summary: str, epochs: int) -> None:
        """Add a running trial; the time of the first one is where the estimate starts."""
        self._began = self._clock() if self._began is None else self._began
        self.phase = self._list_phase
        self.running[number] = _Running(summary, epochs)

    def on_epoch(self, number: int, epoch: "Epoch") -> None:
        """Move a trial forward."""
        if number in self.running:
            self.running[number].epoch = epoch.epoch
            self.running[number].error = epoch.val_error

    def on_trial_end(self, number: int, state: "State", value: float | None) -> _Running:
        """Count a trial's end and return what it was."""
        trial = self.running.pop(number, _Running("", 0))
        if state == "waiting":
            return trial
        self._finished += 1
        self._ended_here += 1
        self._ends[state] = self._ends.get(state, 0) + 1
        if state == "complete" and value is not None and self._is_best(value):
            self.best = (value, number, trial.summary)
        return trial

    def counter(self) -> str:
        """Return ``finished/total``, as wide as the total."""
        width = len(str(self._total))
        return f"{self._finished:>{width}}/{self._total}"

    def progress_text(self) -> str:
        """Return how far the list is and how long it may still take."""
        parts = [f"{self._finished} of {plural(self._total, 'trial')} done"]
        for state in ("pruned", "fail"):
            if self._ends.get(state):
                parts.append(f"{self._ends[state]} {_STATE_WORDS[state]}")
        left = self._seconds_left()
        if left is not None:
            parts.append(f"about {format_seconds(left)} left")
        return ", ".join(parts)

    def best_text(self) -> str:
        """Return the best complete trial so far, empty if there is none."""
        if self.best is None:
            return ""
        value, number, summary = self.best
        return f"best so far: trial {number}, {format_value(self.metric, value)}, {summary}"

    def _is_best(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        return self.best is None or self._sign * value < self._sign * self.best[0]

    def _seconds_left(self) -> float | None:
        if self._began is None or not self._ended_here:
            return None
        partial = sum(trial.epoch / trial.epochs for trial in self.running.values() if trial.epochs)
        done = self._ended_here + partial
        left = max(self._total - self._finished - partial, 0.0)
        return (self._clock() - self._began) / done * left


class LineProgress:
    """Writes one line per phase and per ended trial."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console = console
        self._tally = tally

    def on_phase(self, text: str) -> None:
        """Write the phase."""
        self._tally.phase = text
        self._write(text)

    def on_note(self, text: str) -> None:
        """Write the note."""
        self._write(text)

    def on_start(self, total: int, finished: int) -> None:
        """Begin to count; say so when trials of an earlier run are kept."""
        self._tally.on_start(total, finished)
        if finished:
            self._write(f"{finished} of {plural(total, 'trial')} done before")

    def on_best(self, number: int, summary: str, value: float) -> None:
        """Note the best trial of earlier runs."""
        self._tally.on_best(number, summary, value)

    def on_trial_start(self, number: int, summary: str, epochs: int) -> None:
        """Note the trial."""
        self._tally.on_trial_start(number, summary, epochs)

    def on_epoch(self, number: int, epoch: "Epoch") -> None:
        """Note the epoch."""
        self._tally.on_epoch(number, epoch)

    def on_trial_end(self, number: int, state: "State", value: float | None, reason: str) -> None:
        """Write how the trial ended."""
        trial = self._tally.on_trial_end(number, state, value)
        result = format_error(trial.error)
        if state == "complete":
            result = format_value(self._tally.metric, value)
        parts = [
            f"{self._tally.counter()}  trial {number}",
            f"{_STATE_WORDS[state]} after {plural(trial.epoch, 'epoch')}",
            result,
            trial.summary,
            reason if state == "fail" else "",
        ]
        self._write("  ".join(part for part in parts if part))

    def _write(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveProgress:
    """Keeps a table of the running trials at the bottom of the terminal."""

    def __init__(self, title: str, console: Console, tally: Tally) -> None:
        self._title = title
        self._console = console
        self._tally = tally
        self._lock = threading.Lock()  # rich draws in a thread of its own

    def __rich__(self) -> RenderableType:
        """Return the present picture."""
        with self._lock:
            return Group(*self._lines())

    def on_phase(self, text: str) -> None:
        """Show the phase in the title."""
        with self._lock:
            self._tally.phase = text

    def on_note(self, text: str) -> None:
        """Write the note above the table."""
        self._console.print(text, markup=False, highlight=False)

    def on_start(self, total: int, finished: int) -> None:
        """Begin to count."""
        with self._lock:
            self._tally.on_start(total, finished)

    def on_best(self, number: int, summary: str, value: float) -> None:
        """Show the best trial of earlier runs."""
        with self._lock:
            self._tally.on_best(number, summary, value)

    def on_trial_start(self, number: int, summary: str, epochs: int) -> None:
        """Add a row."""
        with self._lock:
            self._tally.on_trial_start(number, summary, epochs)

    def on_epoch(self, number: int, epoch: "Epoch") -> None:
        """Move the row's bar."""
        with self._lock:
            self._tally.on_epoch(number, epoch)

    def on_trial_end(self, number: int, state: "State", value: float | None, reason: str) -> None:
        """Remove the row; failures stay readable above the table."""
        with self._lock:
            trial = self._tally.on_trial_end(number, state, value)
        if state == "fail":
            text = f"trial {number} failed after {plural(trial.epoch, 'epoch')}: {reason}"
            self._console.print(text, markup=False, style="red")

    def _lines(self) -> Iterator[RenderableType]:
        yield Text.assemble((self._title, "bold"), f"  {self._tally.phase}")
        if self._tally.running:
            yield self._table()
        best = self._tally.best_text()
        if best:
            yield Text(best, no_wrap=True, overflow="ellipsis", style="green")
        if self._tally.has_begun:
            yield Text(self._tally.progress_text())

    def _table(self) -> Table:
        table = Table(
            box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=True
        )
        table.add_column("trial", justify="right", no_wrap=True, min_width=5)
        table.add_column("epochs", no_wrap=True, min_width=_BAR_WIDTH, max_width=_BAR_WIDTH)
        table.add_column("", justify="right", no_wrap=True, min_width=7)
        table.add_column("val error", justify="right", no_wrap=True, min_width=9)
        table.add_column("network", no_wrap=True, overflow="ellipsis", ratio=1)
        for number, trial in sorted(self._tally.running.items()):
            table.add_row(
                str(number),
                ProgressBar(total=trial.epochs, completed=trial.epoch, width=_BAR_WIDTH),
                f"{trial.epoch}/{trial.epochs}",
                format_error(trial.error),
                Text(trial.summary),
            )
        return table


@contextmanager
def show_progress(title: str, metric: str, direction: str) -> Generator["Observer"]:
    """Yield an observer that fits stderr: a live table in a terminal, else sparse lines."""
    console = Console(stderr=True)
    tally = Tally(metric, direction)
    if not console.is_terminal:
        yield LineProgress(console, tally)
        return
    observer = LiveProgress(title, console, tally)
    with Live(observer, console=console, refresh_per_second=4, transient=True):
        yield observer
