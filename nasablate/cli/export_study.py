"""``nasablate export-study``: a study's finished trials as a file to keep and to share."""

from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import DEFAULT_STORAGE, StorageOption
from nasablate.cli.output import plural
from nasablate.cli.reading import read_database, study_of_ours
from nasablate.cli.writing import check_target

EXAMPLES = """\
  nasablate export-study placement-digits
  nasablate export-study placement-digits --to records.csv"""


def command(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="The study's name.")],
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write; studies/STUDY/records.csv if not given.",
            show_default=False,
        ),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Write a study's finished trials to a CSV file.

    'nasablate ablate --from-records FILE' starts from it, on any machine; so does
    'nasablate delete-units' with that of a deletion study. The trainings of the latter are a study
    of their own, STUDY.networks.
    """
    from nasablate.search.deletion_records import write_deletion_records
    from nasablate.search.records_csv import write_records

    if to is not None:
        check_target(to, ".csv", "--to")
    path = to or Path("studies") / name / "records.csv"
    with read_database(storage) as database:
        study = study_of_ours(database, name)
        is_deletion = study.attributes().get("kind") == "deletion"
        count = (write_deletion_records if is_deletion else write_records)(study, path)
    typer.echo(f"{plural(count, 'trial')} written to {path}")
