"""Which weights a trial stands for: those it kept, or those of its confirmations."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nasablate.cli.output import format_error, plural
from nasablate.cli.reading import read_database, study_of_ours
from nasablate.errors import InputError, StoreError

if TYPE_CHECKING:
    from nasablate.genome import Genome
    from nasablate.store import Database, StudyStore, TrialRecord

WEIGHTS = "weights.pt"


@dataclass(frozen=True)
class KeptNetwork:
    """A network, and where weights of it are."""

    genome: "Genome"
    path: Path | None = None
    """Of the weights, if there are any."""
    note: str = ""
    """Of a trial: whose weights they are if not its own; what can be done if there are none."""

    @property
    def weights(self) -> Path | None:
        """The file of weights; None for a genome, which has none.

        Raises:
            StoreError: a trial has none; the message says how to get some.
        """
        if self.path is None and self.note:
            raise StoreError(self.note)
        return self.path


def kept_network(name: str, number: int, storage: str) -> KeptNetwork:
    """Return the network of a trial with its weights.

    A search's trials keep none, but their confirmations do (the study ``NAME.confirm``). Of those
    the one with the lowest validation error at its last epoch is taken, the earlier one of two
    equal ones; test errors are not looked at.

    Raises:
        InputError: there is no such trial, or it is no training.
    """
    from nasablate.genome import Genome

    with read_database(storage) as database:
        study = study_of_ours(database, name)
        trials = {trial.number: trial for trial in study.trials()}
        if number not in trials:
            message = f"study {name!r} has no trial {number}; it has {plural(len(trials), 'trial')}"
            raise InputError(message)
        trial = trials[number]
        if "genome" not in trial.attributes:
            message = f"trial {trial.name} is no training; name one of study {name}.networks"
            raise InputError(message)
        genome = Genome.parse(trial.genome)
        own = study.trial_folder(number) / WEIGHTS
        if own.exists():
            return KeptNetwork(genome, own, "")
        return _from_confirmation(database, trial, own, genome)


def _from_confirmation(
    database: "Database", trial: "TrialRecord", own: Path, genome: "Genome"
) -> KeptNetwork:
    from nasablate.search.confirmation import confirmation_of

    study = database.find(confirmation_of(trial.study))
    complete = [] if study is None else [one for one in study.trials() if one.state == "complete"]
    if study is None or not complete:
        return KeptNetwork(genome, None, _nothing_kept(own, trial.name, ""))
    trained = [one for one in complete if one.attributes["candidate"] == trial.number]
    kept = [one for one in trained if _weights_of(study, one).exists()]
    if not kept:
        numbers = sorted({one.attributes["candidate"] for one in complete})
        names = ", ".join(f"{trial.study}/{number}" for number in numbers)
        why = f"the confirmed ones are {names}" if not trained else f"nor did {study.name}"
        return KeptNetwork(genome, None, _nothing_kept(own, trial.name, why))
    curves = study.curves()
    errors = {one.number: curves[one.number][-1].val_error for one in kept}
    best = min(kept, key=lambda one: (errors[one.number], one.number))
    note = (
        f"{trial.name} kept no weights; these are of {best.name}, trained on the fresh seed"
        f" {best.attributes['seed']}: of {plural(len(kept), 'confirmation')} the one with the"
        f" lowest validation error, {format_error(errors[best.number])}"
    )
    return KeptNetwork(genome, _weights_of(study, best), note)


def _weights_of(study: "StudyStore", trial: "TrialRecord") -> Path:
    return study.trial_folder(trial.number) / WEIGHTS


def _nothing_kept(own: Path, name: str, why: str) -> str:
    return (
        f"{own}: the trial kept no weights{f', {why}' if why else ''}; ablations with evaluate:"
        " test, confirmations (confirm: in a search) and deletion studies keep them; or train the"
        f" network again: 'nasablate trials {name} --genome > FILE.yaml', then"
        " 'nasablate train FILE.yaml --keep FILE.safetensors', and export that file"
    )
