"""A deletion study's evaluations as one CSV file, and back into a database.

Every row is a trained network under one deletion, or the gradients along its paths. With the file
all tables can be made again without weights. Which images are right is kept, packed, for intact
networks and single units, which the intervals over images need.
"""

import base64
import csv
import io
import json
import math
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasablate.errors import Problem, SpecError, StoreError
from nasablate.search.deletion_paths import PREFIX
from nasablate.search.deletion_trials import KEY, Deletion, deletion_of
from nasablate.store import Predictions, StudyStore, TrialRecord

COLUMNS = (
    "network", "replicate", "seed", "kind", "name", "units", "stage", "count", "repeat", "factor",
    "swaps", "kendall_tau", "group_tau", "part", "num_images", "error", "cross_entropy",
    "true_class_probability", "trained", "evaluation_key", "correct", "paths",
)  # fmt: skip
_OF_DELETION = (
    "kind", "name", "stage", "count", "repeat", "factor", "swaps", "kendall_tau", "group_tau",
)  # fmt: skip
_WITH_IMAGES = frozenset({"intact", "single"})


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """One evaluation as a file has it."""

    error: float
    predictions: Predictions | None
    """None where the file does not say which images are right."""
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeletionRecords:
    """A file of evaluations."""

    evaluations: Mapping[str, DeletionRow]
    """By evaluation key."""
    paths: Mapping[str, dict[str, Any]]
    """By the key of the measurement."""


def write_deletion_records(study: StudyStore, path: Path) -> int:
    """Write the evaluations of a study and return their number; the file is whole or absent.

    Raises:
        StoreError: the file cannot be written.
    """
    buffer = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
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
    predictions = {**study.predictions.all("validation"), **study.predictions.all("test")}
    for trial in study.trials():
        if trial.state == "complete":
            yield _evaluation(trial, predictions.get(trial.number))
    for key, found in study.attributes().items():
        if key.startswith(PREFIX):
            yield {
                "network": found["network"],
                "replicate": found["replicate"],
                "kind": "paths",
                "num_images": found["images"],
                "evaluation_key": found["key"],
                "paths": json.dumps(found, sort_keys=True),
            }


def _evaluation(trial: TrialRecord, found: Predictions | None) -> dict[str, object]:
    assert trial.values is not None
    deletion = deletion_of(trial)
    attributes = trial.attributes
    return {
        "network": trial.params["network"],
        "replicate": trial.params["replicate"],
        "seed": attributes["seed"],
        **{name: getattr(deletion, name) for name in _OF_DELETION},
        "units": " ".join(deletion.units),
        "part": attributes["part"],
        "num_images": attributes["num_images"],
        "error": trial.values[0],
        "cross_entropy": attributes.get("cross_entropy"),
        "true_class_probability": attributes.get("true_class_probability"),
        "trained": attributes["trained"],
        "evaluation_key": attributes[KEY],
        "correct": "" if found is None else _packed(deletion, found),
    }


def _packed(deletion: Deletion, found: Predictions) -> str:
    if deletion.kind not in _WITH_IMAGES:
        return ""
    return base64.b64encode(zlib.compress(found.correct, 9)).decode()


def read_deletion_records(path: Path) -> DeletionRecords:
    """Read what `write_deletion_records` wrote.

    Raises:
        SpecError: there is no such file, it is no file of evaluations, or a line is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        rule = f"cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        remedy = "name a records.csv"
        raise SpecError(Problem("", path.name, rule, remedy, where=str(path))) from None
    csv.field_size_limit(2**30)
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        rule = f"is no file of deletions: the column {missing[0]} is missing"
        remedy = "name a file that nasablate export-study wrote of a deletion study"
        raise SpecError(Problem("", path.name, rule, remedy, where=str(path)))
    evaluations: dict[str, DeletionRow] = {}
    paths: dict[str, dict[str, Any]] = {}
    try:
        for record in reader:
            if record["kind"] == "paths":
                paths[record["evaluation_key"]] = json.loads(record["paths"])
            else:
                evaluations[record["evaluation_key"]] = _row(record)
    except (ValueError, KeyError, TypeError, csv.Error, zlib.error) as error:
        where = f"{path}:{reader.line_num}"
        rule = f"the line is damaged ({type(error).__name__}: {error})"
        remedy = "write the file again"
        raise SpecError(Problem("", reader.line_num, rule, remedy, where=where)) from None
    return DeletionRecords(evaluations, paths)


def _row(record: Mapping[str, str]) -> DeletionRow:
    error, num_images = float(record["error"]), int(record["num_images"])
    if not 0 <= error <= 100 or num_images < 1:
        message = f"{error} % of {num_images} images is no error"
        raise ValueError(message)
    loss, probability = _number(record["cross_entropy"]), _number(record["true_class_probability"])
    predictions = None
    if record["correct"]:
        correct = zlib.decompress(base64.b64decode(record["correct"], validate=True))
        _check_bits(correct, error, num_images)
        predictions = Predictions(
            number=-1,
            part="test" if record["part"] == "test" else "validation",
            num_images=num_images,
            correct=correct,
            loss=math.nan if loss is None else loss,
            true_probability=math.nan if probability is None else probability,
        )
    attributes = {
        "trained": record["trained"],
        "part": record["part"],
        "num_images": num_images,
        "cross_entropy": loss,
        "true_class_probability": probability,
    }
    return DeletionRow(error, predictions, attributes)


def _check_bits(correct: bytes, error: float, num_images: int) -> None:
    right = sum(byte.bit_count() for byte in correct)
    if len(correct) != (num_images + 7) // 8 or error != 100 * (num_images - right) / num_images:
        message = "the images that are right do not add up to the error"
        raise ValueError(message)


def _number(text: str) -> float | None:
    return float(text) if text else None
