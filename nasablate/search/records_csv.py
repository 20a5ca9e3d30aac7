"""A study's finished trials as one CSV file, and back into a database.

The first columns are for people and spreadsheets; ``curve``, ``predictions``, ``readings`` and
``attributes`` hold JSON from which a row of the database is made again, bit for bit.
"""

import base64
import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from nasablate.errors import Problem, SpecError, StoreError
from nasablate.search.proposals import Proposal
from nasablate.store import Epoch, State, StudyStore, TestReading, TrialRecord
from nasablate.store.predictions import Predictions

_COLUMNS = (
    "number", "state", "settings", "val_error", "test_error", "params", "macs", "epochs", "seed",
    "seconds", "failure_reason", "network_digest", "data_fingerprint", "evaluation_key", "values",
    "curve", "predictions", "readings", "attributes",
)  # fmt: skip
_NOT_KEPT = frozenset({"attempt", "deaths", "proposal"})
"""Attributes that say how this database came to the row."""


@dataclass(frozen=True)
class Row:
    """One finished trial as a file has it."""

    line: int
    state: State
    key: str
    values: tuple[float, ...] | None
    curve: tuple[Epoch, ...]
    predictions: tuple[Predictions, ...]
    readings: tuple[TestReading, ...]
    attributes: Mapping[str, Any]


def write_records(study: StudyStore, path: Path) -> int:
    """Write the finished trials of a study and return their number; the file is whole or absent.

    Raises:
        StoreError: the file cannot be written.
    """
    buffer = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(buffer, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    count = 0
    for row in _rows(study):
        writer.writerow(row)
        count += 1
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(buffer.getvalue(), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        message = f"{path} cannot be written: {error.strerror}; name another file with --to"
        raise StoreError(message) from error
    return count


def _rows(study: StudyStore) -> Iterator[dict[str, object]]:
    curves = study.curves()
    predictions = [*study.predictions.all("validation").values()]
    predictions += study.predictions.all("test").values()
    readings = study.test_readings()
    for trial in study.trials():
        if not trial.is_finished:
            continue
        curve = curves.get(trial.number, ())
        read = [reading for reading in readings if reading.number == trial.number]
        own = [found for found in predictions if found.number == trial.number]
        yield {
            "number": trial.number,
            "state": trial.state,
            "settings": _settings(trial),
            "val_error": curve[-1].val_error if curve else "",
            "test_error": read[-1].error if read else "",
            **{key: trial.attributes.get(key, "") for key in ("params", "macs", "epochs", "seed")},
            "seconds": round(sum(epoch.seconds for epoch in curve), 3),
            "failure_reason": trial.failure_reason,
            "network_digest": trial.attributes.get("network_digest", ""),
            "data_fingerprint": trial.attributes.get("data_fingerprint", ""),
            "evaluation_key": trial.attributes.get("evaluation_key", ""),
            "values": "" if trial.values is None else _json(list(trial.values)),
            "curve": _json([list(asdict(epoch).values()) for epoch in curve]),
            "predictions": _json([_packed(asdict(found)) for found in own]),
            "readings": _json([_packed(asdict(reading)) for reading in read]),
            "attributes": _json(
                {key: value for key, value in trial.attributes.items() if key not in _NOT_KEPT}
            ),
        }


def _settings(trial: TrialRecord) -> str:
    return ", ".join(f"{name}={value}" for name, value in trial.params.items())


def _packed(record: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in record.items() if key not in {"number", "study"}}
    kept["correct"] = base64.b64encode(kept["correct"]).decode()
    if "read_at" in kept:
        kept["read_at"] = kept["read_at"].isoformat()
    return kept


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def read_records(path: Path) -> list[Row]:
    """Read what ``write_records`` wrote.

    Raises:
        SpecError: there is no such file, it is no file of records, or a line is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        rule = f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        remedy = "name a records.csv"
        raise SpecError(Problem("", path.name, rule, remedy, where=str(path))) from None
    csv.field_size_limit(2**30)
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        rule = f"is no file of records: the column {missing[0]} is missing"
        remedy = "name a file that nasablate export-study wrote"
        raise SpecError(Problem("", path.name, rule, remedy, where=str(path)))
    rows: list[Row] = []
    try:
        for record in reader:
            rows.append(_row(reader.line_num, record))
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        where = f"{path}:{reader.line_num}"
        rule = f"the line is damaged ({type(error).__name__}: {error})"
        remedy = "write the file again"
        raise SpecError(Problem("", reader.line_num, rule, remedy, where=where)) from None
    return rows


def _row(line: int, record: Mapping[str, str]) -> Row:
    curve = tuple(Epoch(int(number), *rest) for number, *rest in _list(record["curve"]))
    state = record["state"]
    if state not in {"complete", "pruned", "fail"}:
        message = f"{state!r} is no final state"
        raise ValueError(message)
    return Row(
        line=line,
        state=cast("State", state),
        key=record["evaluation_key"],
        values=tuple(json.loads(record["values"])) if record["values"] else None,
        curve=curve,
        predictions=tuple(
            Predictions(number=-1, **_unpacked(found)) for found in _list(record["predictions"])
        ),
        readings=tuple(
            TestReading(study="", number=-1, **_unpacked(found))
            for found in _list(record["readings"])
        ),
        attributes=json.loads(record["attributes"]),
    )


def _list(text: str) -> list[Any]:
    found = json.loads(text)
    if not isinstance(found, list):
        message = "a list was expected"
        raise TypeError(message)
    return cast("list[Any]", found)


def _unpacked(record: dict[str, Any]) -> dict[str, Any]:
    record = {**record, "correct": base64.b64decode(record["correct"], validate=True)}
    if "read_at" in record:
        record["read_at"] = datetime.fromisoformat(record["read_at"])
    return record


def restore(
    study: StudyStore, proposals: Sequence[Proposal], rows: Sequence[Row], source: Path
) -> int:
    """Give a study the finished trials of a file that its plan asks for, and return their number.

    A trial is what its evaluation key says (network, recipe, images, seed, threads); rows of other
    networks or images are left alone, as are failures of a machine, which are trained again.
    """
    present = {str(trial.attributes.get("evaluation_key")) for trial in study.trials()}
    known = {row.key: row for row in rows if _is_usable(row)}
    count = 0
    for proposal in proposals:
        row = known.get(proposal.key)
        if row is not None and proposal.key not in present:
            _restore(study, proposal, row, source)
            count += 1
    return count


def _is_usable(row: Row) -> bool:
    if row.state == "fail":
        return row.attributes.get("failure_kind") == "diverged"
    return row.state == "complete" and len(row.curve) == row.attributes.get("epochs")


def _restore(study: StudyStore, proposal: Proposal, row: Row, source: Path) -> None:
    extra = {"attempt": 0, "from_records": f"{source.name}:{row.line}"}
    number = study.create_trial(proposal.new_trial(extra))
    study.set_evaluation(proposal.key, number, "running")
    study.add_epochs(number, row.curve)
    for epoch in row.curve:
        study.set_intermediate(number, epoch.epoch, epoch.val_error)
    for found in row.predictions:
        study.predictions.add(replace(found, number=number))
    for reading in row.readings:
        study.add_test_reading(replace(reading, study=study.name, number=number))
    kept = {
        key: value
        for key, value in row.attributes.items()
        if key in {"manifest", "failure_reason", "failure_kind"}
    }
    study.set_evaluation(proposal.key, number, row.state)
    study.finish_trial(number, row.state, row.values, kept)
