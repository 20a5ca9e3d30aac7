"""The tables of a study of any kind for a paper."""

from nasablate.report.ablation import AblationReport
from nasablate.report.deletion import DeletionReport
from nasablate.report.deletion_paper import deletion_paper_tables
from nasablate.report.loading import Report
from nasablate.report.paper_tables import PaperTable, paper_tables
from nasablate.report.search import SearchReport
from nasablate.report.search_paper import search_paper_tables


def tables_for_a_paper(report: Report) -> list[PaperTable]:
    """Return the tables of a study; the first has a note on rule, data and training."""
    match report:
        case AblationReport():
            return paper_tables(report)
        case SearchReport():
            return search_paper_tables(report)
        case DeletionReport():
            return deletion_paper_tables(report)
