"""The tables of a search's report."""

import csv
import io
from collections.abc import Iterator, Sequence

from nasablate.figures.numerals import DASH, number
from nasablate.report.search import SearchReport, axes_text, interval_text, trial_document
from nasablate.report.tables import CellValue, Gap, Table, numbers, plain, words
from nasablate.store import State, TrialRecord

_MOST = 10
STATES: dict[State, str] = {
    "complete": "complete",
    "pruned": "stopped early",
    "fail": "failed",
    "running": "running",
    "waiting": "interrupted",
}


def confirmation_table(report: SearchReport) -> Table:
    """Return the best few on fresh seeds."""
    rows: list[tuple[CellValue, ...]] = []
    for found in report.result.confirmation:
        error, is_winner = found.val_error, found is report.result.winner
        text: CellValue = Gap("missing") if error is None else interval_text(error)
        count = f"{0 if error is None else error.n}/{found.wanted}"
        place = "winner" if is_winner else ""
        rows.append((f"{found.trial.number}", place, text, count, axes_text(found.trial)))
    columns = (*words("trial", "place"), *numbers("validation error", "n"), *words("network"))
    caption = "The best few of the search, trained again on seeds that the search never saw"
    return Table(caption, columns, tuple(rows))


def best_trials(report: SearchReport) -> tuple[Sequence[TrialRecord], int]:
    """Return the best trials, or those on the front of several objectives; of how many complete."""
    result = report.result
    complete = [trial for trial in result.trials if trial.state == "complete" and trial.values]
    if len(result.objectives) > 1:
        return result.pareto, len(complete)
    sign = 1 if next(iter(result.objectives.values())) == "minimize" else -1
    complete.sort(key=lambda trial: sign * (trial.values or (0.0,))[0])
    return complete[:_MOST], len(complete)


def best_table(report: SearchReport) -> Table:
    """Return the best trials, or those on the front of several objectives."""
    shown, count = best_trials(report)
    caption = f"The best {len(shown)} of {count} complete trials, as the search saw them"
    if len(report.result.objectives) > 1:
        caption = "Trials that no other one beats in every objective"
    return _trials_table(caption, shown, report)


def trials_table(report: SearchReport) -> Table:
    """Return all trials by number."""
    return _trials_table("All trials", report.result.trials, report)


def _trials_table(caption: str, trials: Sequence[TrialRecord], report: SearchReport) -> Table:
    axes = list(dict.fromkeys(name for trial in report.result.trials for name in trial.params))
    others = [name for name in report.result.objectives if name not in {"val_error", "params"}]
    rows: list[tuple[CellValue, ...]] = []
    for trial in trials:
        found = trial_document(trial, report)
        error: CellValue = Gap("none") if found["val_error"] is None else number(found["val_error"])
        rows.append(
            (
                f"{trial.number}",
                STATES[trial.state],
                error,
                *(_objective(found["objectives"][name]) for name in others),
                f"{found['epochs']}",
                f"{found['params']:,}" if found["params"] is not None else DASH,
                *(plain(trial.params[name]) if name in trial.params else DASH for name in axes),
            )
        )
    columns = (
        *words("trial", "state"),
        *numbers("validation error, %", *others, "epochs", "params"),
        *words(*axes),
    )
    return Table(caption, columns, tuple(rows))


def _objective(value: float | None) -> str:
    return DASH if value is None else f"{value:,.6g}"


def failures_table(report: SearchReport) -> Table:
    """Return every trial that failed, with its reason."""
    rows = tuple(
        (f"{trial.number}", trial.failure_reason or "no reason recorded", axes_text(trial))
        for trial in report.result.trials
        if trial.state == "fail"
    )
    return Table("Trials that failed", words("trial", "why", "network"), rows)


def protocol_table(report: SearchReport) -> Table:
    """Return what was searched, how, on which data."""
    rows = tuple(_protocol(report))
    return Table("What was searched, and how trials are trained", words("what", "value"), rows)


def _protocol(report: SearchReport) -> Iterator[tuple[str, str]]:
    spec = report.spec
    data = {key: value for key, value in spec.data.document().items() if value is not None}
    yield "data", plain(data)
    yield "fingerprint of the data", str(report.attributes.get("data_fingerprint", DASH))
    for name, axis in spec.document()["axes"].items():
        yield f"axis: {name}", plain({key: v for key, v in axis.items() if v is not None})
    for metric, bounds in spec.document()["constraints"].items():
        yield f"limit: {metric}", plain({key: v for key, v in bounds.items() if v is not None})
    yield "objectives", plain(dict(spec.objectives))
    yield "sampler", plain(spec.sampler.document())
    yield "scheduler", plain(spec.scheduler.document())
    yield "trials", f"{spec.trials} distinct networks, seed {spec.seed}"
    if spec.confirm is not None:
        yield "confirmation", f"the best {spec.confirm.top} on {spec.confirm.seeds} fresh seeds"
    yield "threads per trial", f"{spec.resources.threads_per_trial}"
    for key, value in spec.training.items():
        if key not in {"kind", "schema_version", "name", "source"}:
            yield f"recipe: {key}", plain(value)


def search_csv(report: SearchReport) -> str:
    """Return one row per trial; empty cells where nothing is."""
    axes = list(dict.fromkeys(name for trial in report.result.trials for name in trial.params))
    metrics = list(report.result.objectives)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    facts = ["number", "state", "val_error", "epochs", "params", "macs", "seed", "failure_reason"]
    titles = [f"objective:{name}" for name in metrics] + [f"axis:{name}" for name in axes]
    writer.writerow([*facts, *titles])
    for trial in report.result.trials:
        found = trial_document(trial, report)
        row = [found[key] for key in facts] + [found["objectives"][name] for name in metrics]
        row += [found["axes"].get(name) for name in axes]
        writer.writerow(["" if value is None else value for value in row])
    return buffer.getvalue()
