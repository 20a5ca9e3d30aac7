"""``nasablate studies``: what a database holds, or one study in short."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.cli.documents import reading_document, study_document, trial_document
from nasablate.cli.options import DEFAULT_STORAGE, JsonOption, StorageOption
from nasablate.cli.output import format_error, plural, write_json, write_table
from nasablate.cli.reading import read_database, study_of_ours

if TYPE_CHECKING:
    from nasablate.store import Database

EXAMPLES = """\
  nasablate studies
  nasablate studies quickstart --json"""
_STATES = ("complete", "pruned", "fail", "running", "waiting")
_BEST = 5


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="One study.", show_default=False),
    ] = None,
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """List the studies of a database, or show one."""
    with read_database(storage) as database:
        if name is None:
            _list_studies(database, as_json=as_json)
            return
        document = _details(database, name)
        if as_json:
            write_json(document)
        else:
            _write_details(document)


def _list_studies(database: "Database", *, as_json: bool) -> None:
    documents = [study_document(summary) for summary in database.studies()]
    if as_json:
        write_json(documents)
        return
    write_table(
        ["study", "kind", "objectives", "trials", *_STATES],
        [
            [
                document["name"],
                document["kind"],
                ", ".join(document["objectives"]),
                document["trials"],
                *(document["states"].get(state, 0) for state in _STATES),
            ]
            for document in documents
        ],
    )


def _details(database: "Database", name: str) -> dict[str, Any]:
    study = study_of_ours(database, name)
    summary = next(summary for summary in database.studies() if summary.name == name)
    curves = study.curves()
    trials = [
        trial_document(trial, summary.objectives, curves.get(trial.number, ()))
        for trial in study.trials()
        if trial.state == "complete"
    ]
    from nasablate.search.gpu_share import GPU_SHARE

    metric, direction = next(iter(summary.objectives.items()))
    sign = 1 if direction == "minimize" else -1
    trials.sort(key=lambda trial: sign * trial["objectives"][metric])
    return {
        **study_document(summary),
        "gpu_share": summary.attributes.get(GPU_SHARE),
        "best": trials[:_BEST],
        "test_readings": [reading_document(reading) for reading in study.test_readings()],
    }


def _write_details(document: dict[str, Any]) -> None:
    states = [
        f"{count} {state}" for state in _STATES if (count := document["states"].get(state, 0))
    ]
    objectives = [f"{direction} {name}" for name, direction in document["objectives"].items()]
    typer.echo(f"{document['name']}: {document['kind']}, {', '.join(objectives)}")
    typer.echo(f"{plural(document['trials'], 'trial')}: {', '.join(states) or 'none yet'}")
    if document["gpu_share"]:
        typer.echo("gpus_per_trial: {gpus_per_trial:g}, {reason}".format(**document["gpu_share"]))
    if document["best"]:
        typer.echo("\nbest:")
        axes = list(dict.fromkeys(axis for trial in document["best"] for axis in trial["axes"]))
        write_table(
            ["trial", *document["objectives"], "params", *axes],
            [
                [
                    trial["number"],
                    *trial["objectives"].values(),
                    trial["params"],
                    *(trial["axes"].get(axis) for axis in axes),
                ]
                for trial in document["best"]
            ],
        )
    for reading in document["test_readings"]:
        typer.echo(
            f"\ntest error of {reading['trial']}: {format_error(reading['error'])}"
            f" ({reading['num_images']} images; {reading['purpose']})"
        )
