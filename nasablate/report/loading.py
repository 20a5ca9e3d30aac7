"""Reads the report of a study of any kind that has one."""

from nasablate.errors import InputError
from nasablate.report.ablation import AblationReport, load_ablation_report
from nasablate.report.deletion import DeletionReport, load_deletion_report
from nasablate.report.search import SearchReport, load_search_report
from nasablate.store import Database, TrialRecord

Report = AblationReport | SearchReport | DeletionReport


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


def trials_of(report: Report) -> tuple[TrialRecord, ...]:
    """Return the trials that trained networks."""
    match report:
        case AblationReport():
            return report.trials
        case SearchReport():
            return report.result.trials
        case DeletionReport():
            return report.trainings


def kind_of(report: Report) -> str:
    """Return the kind of a study."""
    match report:
        case AblationReport():
            return "ablation"
        case SearchReport():
            return "search"
        case DeletionReport():
            return "deletion"
