"""Reads the report of a study of any kind that has one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nasablate.errors import InputError, NasablateError
from nasablate.genome.data_spec import DataSpec
from nasablate.report.ablation import AblationReport, load_ablation_report
from nasablate.report.deletion import DeletionReport, load_deletion_report
from nasablate.report.environment import Environment, environment_of
from nasablate.report.search import SearchReport, load_search_report
from nasablate.store import Database, Epoch, TrialRecord, study_folder

Report = AblationReport | SearchReport | DeletionReport


@dataclass(frozen=True)
class PlainStudy:
    """A study of a kind without a report: a confirmation, or the networks of a deletion study."""

    name: str
    url: str
    """Of its database."""
    kind: str
    attributes: Mapping[str, Any]
    trials: tuple[TrialRecord, ...]
    epochs: Mapping[int, tuple[Epoch, ...]]

    @property
    def question(self) -> str:
        """Return what its owner asks."""
        return str(self.attributes.get("question", ""))

    @cached_property
    def environment(self) -> Environment:
        """Return what its trials ran on."""
        return environment_of(self.trials)


def load_study(database: Database, name: str) -> Report | PlainStudy:
    """Read the report of a study, or its trials if its kind has no report.

    Raises:
        StoreError: there is no such study, or it cannot be read.
        SpecError: another version wrote its file.
        InputError: another program made it.
    """
    study = database.study(name)
    attributes = study.attributes()
    kind = attributes.get("kind")
    if kind is None or kind in {"ablation", "search", "deletion"}:
        return load_any_report(database, name)
    trials = tuple(study.trials())
    return PlainStudy(name, database.url, str(kind), attributes, trials, study.curves())


def load_any_report(database: Database, name: str) -> Report:
    """Read the report of a study.

    Raises:
        StoreError: there is no such study, or it cannot be read.
        SpecError: another version wrote its file.
        InputError: studies of its kind have no report.
    """
    match database.study(name).attributes().get("kind"):
        case "ablation":
            return load_ablation_report(database, name)
        case "search":
            return load_search_report(database, name)
        case "deletion":
            return load_deletion_report(database, name)
        case kind:
            message = (
                f"study {name!r} is a {kind or 'study of another program'}, which has no report;"
                " name an ablation, a search or a deletion study"
            )
            raise InputError(message)


def trials_of(report: Report | PlainStudy) -> tuple[TrialRecord, ...]:
    """Return the trials that trained networks."""
    match report:
        case PlainStudy():
            return report.trials
        case AblationReport():
            return report.trials
        case SearchReport():
            return report.result.trials
        case DeletionReport():
            return report.trainings


def kind_of(report: Report | PlainStudy) -> str:
    """Return the kind of a study."""
    match report:
        case PlainStudy():
            return report.kind
        case AblationReport():
            return "ablation"
        case SearchReport():
            return "search"
        case DeletionReport():
            return "deletion"


def url_of(report: Report | PlainStudy) -> str:
    """Return the URL of a study's database."""
    return report.url if isinstance(report, PlainStudy) else report.result.url


def data_of(report: Report | PlainStudy) -> DataSpec | None:
    """Return the data that a study is trained on; None if it does not say."""
    if not isinstance(report, PlainStudy):
        return report.spec.data
    try:
        return DataSpec.parse(json.loads(report.attributes["spec"])["data"])
    except (KeyError, ValueError, NasablateError):
        return None


def question_of(report: Report | PlainStudy) -> str:
    """Return what the owner of a study asks."""
    return report.question if isinstance(report, PlainStudy) else report.spec.question


def twin_with_weights(database: Database, trial: TrialRecord) -> str:
    """Return the trial of the search's confirmation that trained this network and kept its weights.

    Returns:
        Its name, ``STUDY.confirm/NUMBER``; empty if there is none, or the trial's own are there.
    """
    name = trial.name.rpartition("/")[0]
    confirmation = database.find(f"{name}.confirm")
    digest = trial.attributes.get("network_digest")
    if confirmation is None or digest is None or has_weights(trial, database.url):
        return ""
    found = (
        one.name
        for one in confirmation.trials()
        if one.attributes.get("network_digest") == digest and has_weights(one, database.url)
    )
    return next(found, "")


def has_weights(trial: TrialRecord, url: str) -> bool:
    """Whether a trial's weights were kept."""
    return weights_path(trial, url).is_file()


def weights_path(trial: TrialRecord, url: str) -> Path:
    """Return where a trial's weights are if they were kept."""
    study = trial.name.rpartition("/")[0]
    return study_folder(url, study) / "trials" / f"{trial.number:05d}" / "weights.pt"
