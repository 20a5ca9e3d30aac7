"""What a search tells whoever watches it."""

from typing import Protocol

from nasablate.store import Epoch, State


class Observer(Protocol):
    """Receives the events of a run, in the driver's process; must return quickly."""

    def on_phase(self, text: str) -> None:
        """Say that something that takes a while begins: starting Ray, confirming, testing."""
        ...

    def on_note(self, text: str) -> None:
        """Say something about the run that stays in sight."""
        ...

    def on_start(self, total: int, finished: int) -> None:
        """Say that a list of `total` trials is worked off, of which `finished` are done."""
        ...

    def on_best(self, number: int, summary: str, value: float) -> None:
        """Say which trial of an earlier run is the best of the list so far."""
        ...

    def on_trial_start(self, number: int, summary: str, epochs: int) -> None:
        """Say that a trial starts, or goes on; `summary` is what it tries."""
        ...

    def on_epoch(self, number: int, epoch: Epoch) -> None:
        """Pass on one epoch of a trial; a resumed trial repeats those it already has."""
        ...

    def on_trial_end(self, number: int, state: State, value: float | None, reason: str) -> None:
        """Say how a trial ended; `value` is its first objective."""
        ...


class SilentObserver:
    """Shows nothing."""

    def on_phase(self, text: str) -> None:
        """Do nothing."""

    def on_note(self, text: str) -> None:
        """Do nothing."""

    def on_start(self, total: int, finished: int) -> None:
        """Do nothing."""

    def on_best(self, number: int, summary: str, value: float) -> None:
        """Do nothing."""

    def on_trial_start(self, number: int, summary: str, epochs: int) -> None:
        """Do nothing."""

    def on_epoch(self, number: int, epoch: Epoch) -> None:
        """Do nothing."""

    def on_trial_end(self, number: int, state: State, value: float | None, reason: str) -> None:
        """Do nothing."""
