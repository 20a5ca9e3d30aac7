"""Keeps optuna-dashboard's notes and figures of a running study up to date, at little cost."""

import logging
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nasablate.search.observer import Observer
    from nasablate.store import Epoch, State

PAUSE_SECONDS = 30.0
"""Between two refreshes, at least."""
SHARE = 0.01
"""Of the time that refreshing may take; the pause grows with its cost."""
_LOG = logging.getLogger("nasablate")


class DeskObserver:
    """Passes every event on, and wakes the refreshing when a trial begins or ends."""

    def __init__(
        self, inner: "Observer", changed: threading.Event, *, follows_phases: bool = False
    ) -> None:
        self._inner = inner
        self._changed = changed
        self._follows_phases = follows_phases
        self._phases = 0

    def on_phase(self, text: str) -> None:
        """Pass on; every phase after the first, which loads, may ask for a refresh."""
        self._inner.on_phase(text)
        self._phases += 1
        if self._follows_phases and self._phases > 1:
            self._changed.set()

    def on_note(self, text: str) -> None:
        """Pass on."""
        self._inner.on_note(text)

    def on_start(self, total: int, finished: int) -> None:
        """Pass on."""
        self._inner.on_start(total, finished)

    def on_best(self, number: int, summary: str, value: float) -> None:
        """Pass on."""
        self._inner.on_best(number, summary, value)

    def on_trial_start(self, number: int, summary: str, epochs: int) -> None:
        """Pass on, and ask for a refresh, which notes what the trial is."""
        self._inner.on_trial_start(number, summary, epochs)
        self._changed.set()

    def on_epoch(self, number: int, epoch: "Epoch") -> None:
        """Pass on."""
        self._inner.on_epoch(number, epoch)

    def on_trial_end(self, number: int, state: "State", value: float | None, reason: str) -> None:
        """Pass on, and ask for a refresh."""
        self._inner.on_trial_end(number, state, value, reason)
        self._changed.set()


@contextmanager
def kept_desk(
    observer: "Observer", storage: str, name: str, *, follows_phases: bool = False
) -> Generator[DeskObserver]:
    """Yield an observer of a run that keeps the desk of its study, in a thread of its own.

    The last refresh follows the run's end, if any trial ended in it; an interrupted run leaves
    it to the next one. What goes wrong here is logged and never ends a run.

    Args:
        observer: Is told everything too.
        storage: The database.
        name: The study.
        follows_phases: Whether phases add results without a trial that ends, as the evaluations
            of a deletion study do.
    """
    changed, stop = threading.Event(), threading.Event()
    keeper = threading.Thread(
        target=_keep, args=(storage, name, changed, stop), name="desk", daemon=True
    )
    keeper.start()
    try:
        yield DeskObserver(observer, changed, follows_phases=follows_phases)
    finally:
        stop.set()
        keeper.join(timeout=60)
    if changed.is_set():
        refresh(storage, name)


def refresh_resting(storage: str, names: Sequence[str]) -> None:
    """Refresh the desks of studies that no process runs now; one that runs does it itself."""
    from nasablate.errors import StoreError
    from nasablate.store import driver_lock, is_server, study_folder

    for name in names:
        # Locking makes the folder of a file's study, which a study that was copied does not have.
        locks = is_server(storage) or study_folder(storage, name).is_dir()
        try:
            with driver_lock(storage, name) if locks else nullcontext():
                refresh(storage, name)
        except StoreError:
            continue


def _keep(storage: str, name: str, changed: threading.Event, stop: threading.Event) -> None:
    pause = PAUSE_SECONDS
    while not stop.wait(pause):
        if changed.is_set():
            changed.clear()
            pause = max(PAUSE_SECONDS, refresh(storage, name) / SHARE)


def refresh(storage: str, name: str) -> float:
    """Refresh the desks of a study and of what it trains by the way; return processor seconds."""
    from nasablate.report.desk import refresh_desk
    from nasablate.store import open_database

    began = time.thread_time()
    try:
        with closing(open_database(storage, create=False)) as database:
            for study in (name, f"{name}.confirm", f"{name}.networks"):
                if database.find(study) is not None:
                    refresh_desk(database, study)
    except Exception as error:  # the run matters more than what is shown of it
        _LOG.warning("the dashboard of %s could not be refreshed: %s", name, error)
    return time.thread_time() - began
