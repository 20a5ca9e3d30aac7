"""The tables of a search for a paper: what was confirmed, and the best trials or the front."""

from collections.abc import Iterator

from nasablate import __version__
from nasablate.figures.numerals import DASH, PLUS_MINUS, number
from nasablate.report.paper_tables import PaperCell, PaperTable
from nasablate.report.search import SearchReport, trial_document
from nasablate.report.search_tables import best_trials
from nasablate.report.tables import numbers, plain, words
from nasablate.search.result import Interval
from nasablate.store import TrialRecord

MOST_AXES = 4
"""More axes share one column."""
_RECIPE = ("epochs", "batch_size", "optimizer", "schedule")


def search_paper_tables(report: SearchReport) -> list[PaperTable]:
    """Return the confirmed trials, then the best ones or the front; the first has the note."""
    found = [_confirmed(report)] if report.result.confirmation else []
    found.append(_best(report, note="" if found else " ".join(_note(report))))
    return found


def _axes(report: SearchReport) -> list[str]:
    return list(dict.fromkeys(name for trial in report.result.trials for name in trial.params))


def _titles(axes: list[str]) -> list[str]:
    """Return a column for each axis, or one for all where they are many."""
    return axes if len(axes) <= MOST_AXES else ["axes"]


def _cells(trial: TrialRecord, axes: list[str]) -> list[str]:
    if len(axes) > MOST_AXES:
        tried = (f"{name}={plain(trial.params[name])}" for name in axes if name in trial.params)
        return [", ".join(tried)]
    return [plain(trial.params[name]) if name in trial.params else DASH for name in axes]


def mean_with_half(interval: Interval) -> str:
    """Return a mean with the half width of its interval, where there is one."""
    if interval.n < 2:
        return number(interval.mean)
    return f"{number(interval.mean)} {PLUS_MINUS} {number((interval.high - interval.low) / 2)}"


def _confirmed(report: SearchReport) -> PaperTable:
    axes = _axes(report)
    rows: list[tuple[PaperCell, ...]] = []
    for found in report.result.confirmation:
        error = found.val_error
        n = 0 if error is None else error.n
        params = trial_document(found.trial, report)["params"]
        rows.append(
            (
                f"{found.trial.number}",
                *_cells(found.trial, axes),
                f"{n}" if n == found.wanted else f"{n} of {found.wanted}",
                DASH if error is None else mean_with_half(error),
                DASH if params is None else f"{params:,}",
                "winner" if found is report.result.winner else "",
            )
        )
    return PaperTable(
        key="confirmed",
        caption=f"{_heading(report)} The best few, trained again on seeds that the search never"
        " saw.",
        columns=(
            *words("trial", *_titles(axes)),
            *numbers("n", "validation error, %", "params"),
            *words("place"),
        ),
        rows=tuple(rows),
        note=" ".join(_note(report)),
    )


def _best(report: SearchReport, note: str) -> PaperTable:
    shown, count = best_trials(report)
    axes = _axes(report)
    others = [name for name in report.result.objectives if name not in {"val_error", "params"}]
    rows: list[tuple[PaperCell, ...]] = []
    for trial in shown:
        found = trial_document(trial, report)
        values = [found["objectives"][name] for name in others]
        params = found["params"]
        rows.append(
            (
                f"{trial.number}",
                *_cells(trial, axes),
                number(found["val_error"]),
                *(DASH if value is None else f"{value:,.6g}" for value in values),
                f"{found['epochs']}",
                DASH if params is None else f"{params:,}",
            )
        )
    which = "on the front" if len(report.result.objectives) > 1 else "with the lowest error"
    return PaperTable(
        key="best",
        caption=f"{_heading(report)} The {len(shown)} of {count} complete trials {which}, one seed"
        " each, chosen by the error that is shown.",
        columns=(
            *words("trial", *_titles(axes)),
            *numbers("validation error, %", *others, "epochs", "params"),
        ),
        rows=tuple(rows),
        note=note,
    )


def _heading(report: SearchReport) -> str:
    return report.spec.question or f"Search {report.result.name}."


def _note(report: SearchReport) -> Iterator[str]:
    """Yield what the numbers are, what was searched, and how was trained."""
    result, spec = report.result, report.spec
    if result.confirmation:
        yield (
            "Errors in percent on the validation part: mean over n fresh seeds with the half width"
            " of its 95 % t interval."
        )
    if result.test_error is not None and result.winner is not None:
        yield (
            f"Test error of trial {result.winner.trial.number}, read once after the search:"
            f" {mean_with_half(result.test_error)} % over {result.test_error.n} networks."
        )
    if not report.is_finished:
        yield f"The search is not finished: {len(result.trials)} of {spec.trials} trials began."
    failed = result.counts.get("fail", 0)
    yield f"{spec.trials} distinct networks, sampler {spec.sampler.name}, seed {spec.seed}" + (
        f"; {failed} failed." if failed else "."
    )
    for metric, bounds in spec.document()["constraints"].items():
        limits = {key: value for key, value in bounds.items() if value is not None}
        yield f"Limit of {metric.replace('_', ' ')}: {plain(limits)}."
    fingerprint = report.attributes.get("data_fingerprint", DASH)
    yield f"Data: {spec.data.name}, fingerprint {fingerprint}."
    shown = [f"{key.replace('_', ' ')} {plain(spec.training[key])}" for key in _RECIPE
             if key in spec.training]  # fmt: skip
    if shown:
        yield f"Training: {'; '.join(shown)}."
    yield f"Study {result.name}, nasablate {__version__}."
