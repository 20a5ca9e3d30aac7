"""Numbers of a timeline: when each trial ran, on what, and side by side with which others."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from nasablate.figures.numerals import number
from nasablate.store import State, TrialRecord

UNKNOWN = "device not recorded"
MOST_LANES = 64
"""Of one device; trials that were written at once, not run at once, would need one each."""


@dataclass(frozen=True, slots=True)
class Span:
    """One trial."""

    number: int
    state: State
    device: str
    """As its manifest names it."""
    lane: int
    """The first place of its device that was free when it began. Workers are not recorded."""
    start: float
    """Seconds since the first trial began."""
    seconds: float
    """Until its row was final. A trial that was interrupted spans its pauses too."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the figure shows."""

    spans: tuple[Span, ...]
    """By their start."""
    began: str
    """When the first trial began."""
    silent: int
    """Trials that have not finished, took no time here as their result was taken over, or found
    no free place."""

    @property
    def lanes(self) -> tuple[tuple[str, int], ...]:
        """Return all devices with their places."""
        return tuple(sorted({(span.device, span.lane) for span in self.spans}))

    @property
    def length(self) -> float:
        """Return the seconds from the first start to the last end."""
        return max(span.start + span.seconds for span in self.spans)

    @property
    def busy(self) -> float:
        """Return the share of all places' time in which a trial ran."""
        total = self.length * len(self.lanes)
        return sum(span.seconds for span in self.spans) / total if total else 0.0

    def alt_text(self) -> str:
        """Return length and load in a sentence."""
        return (
            f"{len(self.spans)} trials in {number(self.length, 0)} seconds on {len(self.lanes)}"
            f" places, {100 * self.busy:.0f} % of their time busy. Began {self.began}."
        )

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return {**asdict(self), "length": self.length, "busy": self.busy}


def timeline_data(trials: Sequence[TrialRecord]) -> Timeline | None:
    """Return when finished trials ran; None if none did."""
    own = [trial for trial in trials if trial.started and trial.finished and _ran(trial)]
    if not own:
        return None
    own.sort(key=lambda trial: (_moment(trial.started), trial.number))
    began = _moment(own[0].started)
    spans = tuple(_spans(own, began))
    return Timeline(spans, f"{began:%Y-%m-%d %H:%M:%S}", len(trials) - len(spans))


def _spans(trials: Sequence[TrialRecord], began: datetime) -> Iterator[Span]:
    free: dict[str, list[float]] = {}
    for trial in trials:
        device = _device(trial)
        start = (_moment(trial.started) - began).total_seconds()
        end = (_moment(trial.finished) - began).total_seconds()
        lanes = free.setdefault(device, [])
        lane = next((place for place, until in enumerate(lanes) if until <= start), len(lanes))
        if lane == MOST_LANES:
            continue
        if lane == len(lanes):
            lanes.append(0.0)
        lanes[lane] = end
        yield Span(trial.number, trial.state, device, lane, start, max(0.0, end - start))


def _ran(trial: TrialRecord) -> bool:
    return trial.is_finished and "cached_from" not in trial.attributes


def _moment(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment


def _device(trial: TrialRecord) -> str:
    try:
        found = json.loads(trial.attributes.get("manifest", "{}"))
    except (TypeError, ValueError):
        return UNKNOWN
    device = cast("dict[str, Any]", found).get("device") if isinstance(found, dict) else None
    return str(device) if device else UNKNOWN
