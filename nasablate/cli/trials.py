"""``nasablate trials``: the trials of a study, or one of them in full."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.cli.documents import trial_details, trial_document
from nasablate.cli.options import DEFAULT_STORAGE, JsonOption, StorageOption
from nasablate.cli.output import format_error, format_seconds, plural, write_json, write_table
from nasablate.cli.reading import read_database, study_of_ours
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.store import StudyStore, TrialRecord

EXAMPLES = """\
  nasablate trials quickstart
  nasablate trials quickstart 7
  nasablate trials quickstart/7 --json
  nasablate trials quickstart/7 --genome > my_network.yaml"""


def command(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A study's name; see 'nasablate studies'.")
    ],
    number: Annotated[
        int | None,
        typer.Argument(metavar="NUMBER", min=0, help="One trial.", show_default=False),
    ] = None,
    *,
    genome: Annotated[
        bool, typer.Option("--genome", help="Of one trial: print its genome as a YAML file.")
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """List a study's trials, or show one in full."""
    name, chosen = _parse_name(study, number)
    if genome and (chosen is None or as_json):
        message = f"--genome prints one trial as YAML; write 'nasablate trials {name}/0 --genome'"
        raise InputError(message)
    with read_database(storage) as database:
        found = study_of_ours(database, name)
        objectives = dict(found.attributes()["objectives"])
        if chosen is None:
            _list_trials(found, objectives, as_json=as_json)
        elif genome:
            _show_genome(found, chosen)
        else:
            _show_trial(found, objectives, chosen, as_json=as_json)


def _parse_name(study: str, number: int | None) -> tuple[str, int | None]:
    """Split ``STUDY/NUMBER``, the name of one trial."""
    name, slash, tail = study.partition("/")
    if not slash:
        return study, number
    if number is not None or not tail.isdecimal():
        message = f"{study!r} names no trial; write STUDY/NUMBER, for example {name}/0"
        raise InputError(message)
    return name, int(tail)


def _list_trials(study: "StudyStore", objectives: Mapping[str, str], *, as_json: bool) -> None:
    curves = study.curves()
    documents = [
        trial_document(trial, objectives, curves.get(trial.number, ())) for trial in study.trials()
    ]
    if as_json:
        write_json(documents)
        return
    axes = list(dict.fromkeys(axis for document in documents for axis in document["axes"]))
    # What was evaluated without training, such as deletions, has no curve, size or seed to show.
    trained = any(document["params"] for document in documents) or "val_error" in objectives
    facts = ["val_error", "epochs", "params", "macs", "seed"] if trained else []
    names = [] if trained else list(objectives)
    write_table(
        ["trial", "state", *names, *facts, *axes],
        [
            [
                document["number"],
                document["state"],
                *(document["objectives"][name] for name in names),
                *(document[fact] for fact in facts),
                *(document["axes"].get(axis) for axis in axes),
            ]
            for document in documents
        ],
    )


def _show_trial(
    study: "StudyStore", objectives: Mapping[str, str], number: int, *, as_json: bool
) -> None:
    trial = _trial(study, number)
    curve, steps = study.curves().get(number, ()), study.steps.of_trial(number)
    document = trial_details(trial, objectives, curve, steps)
    if as_json:
        write_json(document)
    else:
        _write_details(document)


def _show_genome(study: "StudyStore", number: int) -> None:
    from nasablate.genome import Genome

    trial = _trial(study, number)
    if "genome" not in trial.attributes:
        message = f"trial {trial.name} is no training; name one of study {study.name}.networks"
        raise InputError(message)
    typer.echo(Genome.parse(trial.genome).yaml_text(), nl=False)


def _trial(study: "StudyStore", number: int) -> "TrialRecord":
    trials = {trial.number: trial for trial in study.trials()}
    if number not in trials:
        count = plural(len(trials), "trial")
        message = f"study {study.name!r} has no trial {number}; it has {count}"
        raise InputError(message)
    return trials[number]


def _write_details(document: Mapping[str, Any]) -> None:
    facts = {
        "state": document["state"],
        "why": document["failure_reason"],
        **document["axes"],
        "params": document["params"],
        "macs": document["macs"],
        "seed": document["seed"],
        "training": format_seconds(document["train_seconds"]),
        "network": document["network_digest"],
    }
    shown = {key: value for key, value in facts.items() if value not in {None, ""}}
    width = max(len(key) for key in shown)
    typer.echo(document["name"])
    for key, value in shown.items():
        typer.echo(f"  {key:<{width}}  {value}")
    if document["curve"]:
        typer.echo("")
        write_table(
            ["epoch", "train error", "validation error", "seconds"],
            [
                [
                    epoch["epoch"],
                    format_error(epoch["train_error"]),
                    format_error(epoch["val_error"]),
                    round(epoch["seconds"], 2),
                ]
                for epoch in document["curve"]
            ],
        )
    recorded = sum(len(epoch["steps"]) for epoch in document["curve"])
    if recorded:
        typer.echo(f"\n{recorded} records within the epochs; --json shows them")
