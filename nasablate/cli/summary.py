"""The last words of a search: what it came to and where the rest is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nasablate.cli.options import DEFAULT_STORAGE
from nasablate.cli.output import format_error, format_table, plural
from nasablate.cli.progress import format_value

if TYPE_CHECKING:
    from nasablate.search.result import CandidateResult, Interval, SearchResult
    from nasablate.store import State, TrialRecord

_LABEL_WIDTH = 12
_STATES: "dict[State, str]" = {
    "complete": "complete",
    "pruned": "stopped early",
    "fail": "failed",
    "running": "running",
    "waiting": "interrupted",
}


def search_summary(result: "SearchResult") -> str:
    """Return the summary of a search as text."""
    return "\n".join(_lines(result))


def _lines(result: "SearchResult") -> Iterator[str]:
    counts = [f"{result.counts.get(state, 0)} {word}" for state, word in _STATES.items()]
    shown = ", ".join(text for text in counts if not text.startswith("0 "))
    yield _line(result.name, f"{plural(len(result.trials), 'trial')}: {shown or 'none yet'}")
    if len(result.objectives) > 1:
        yield from _front(result)
    elif result.best is not None:
        metric, value = next(iter(result.objectives)), _objectives(result, result.best)[0]
        yield _line("best trial", f"{metric} {value} in {_describe(result.best)}")
    if result.confirmation:
        yield from _confirmation(result)
    if result.winner is not None:
        yield from _winner(result, result.winner)
    for note in result.notes:
        yield _line("note", note)
    from nasablate.store.failures import shown

    yield _line("database", shown(result.url))
    option = "" if result.url == DEFAULT_STORAGE else f" --storage {shown(result.url)}"
    yield _line("look at it", f"nasablate dashboard{option}")
    if result.winner is not None:
        name = result.winner.trial.name
        file = f"{name.replace('/', '-')}.safetensors"
        yield _line("take it out", f"nasablate export {name} --to {file}{option}")


def _front(result: "SearchResult") -> Iterator[str]:
    yield _line("front", f"{plural(len(result.pareto), 'trial')} that no other one beats")
    rows = [
        [
            trial.number,
            *_objectives(result, trial),
            _axes(trial),
        ]
        for trial in result.pareto
    ]
    yield from _indented(format_table(["trial", *result.objectives, "network"], rows))


def _confirmation(result: "SearchResult") -> Iterator[str]:
    yield ""
    yield "confirmed on fresh seeds (validation error):"
    rows = [
        [
            candidate.trial.number,
            *_interval_cells(candidate.val_error),
            f"{candidate.val_error.n if candidate.val_error else 0}/{candidate.wanted}",
            _axes(candidate.trial),
        ]
        for candidate in result.confirmation
    ]
    yield from _indented(format_table(["trial", "mean", "95 % interval", "n", "network"], rows))
    yield ""


def _winner(result: "SearchResult", winner: "CandidateResult") -> Iterator[str]:
    assert winner.val_error is not None
    yield _line("winner", _describe(winner.trial))
    yield _line("val error", _interval_text(winner.val_error, "fresh seeds"))
    if result.test_error is not None:
        images = result.test_readings[0].num_images
        text = _interval_text(result.test_error, "networks trained")
        yield _line("test error", f"{text}, {images} images each, read once")


def _describe(trial: "TrialRecord") -> str:
    return f"{trial.name} ({trial.attributes['params']:,} params; {_axes(trial)})"


def _axes(trial: "TrialRecord") -> str:
    return ", ".join(f"{name}={value}" for name, value in trial.params.items())


def _objectives(result: "SearchResult", trial: "TrialRecord") -> list[str]:
    values = trial.values or (None,) * len(result.objectives)
    pairs = zip(result.objectives, values, strict=True)
    return [format_value(metric, value) for metric, value in pairs]


def _interval_cells(interval: "Interval | None") -> tuple[str | None, str | None]:
    if interval is None:
        return None, None
    if interval.n < 2:
        return format_error(interval.mean), None
    return format_error(interval.mean), f"{interval.low:.2f} to {interval.high:.2f} %"


def _interval_text(interval: "Interval", unit: str) -> str:
    mean, ends = _interval_cells(interval)
    return f"{mean} (95 % interval {ends or 'unknown'}, n = {interval.n} {unit})"


def _line(label: str, text: str) -> str:
    return f"{label:<{_LABEL_WIDTH}} {text}"


def _indented(text: str) -> Iterator[str]:
    return (f"  {line}" for line in text.splitlines())
