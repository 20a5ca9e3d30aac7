"""Ensembles of networks that kept their weights: over seeds, over arms, and of one network.

Databases keep which images are right, not class probabilities, so these are computed again from
the weights.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nasablate.analysis.ensembles import EnsembleAnalysis, analyse
from nasablate.errors import DataError, InputError
from nasablate.genome import DataSpec, Genome, Recipe
from nasablate.search.deletion_networks import networks_name_of
from nasablate.store import Database, StudyStore, TestReading, TrialRecord, now

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nasablate.data import DataInfo
    from nasablate.data.images import Part
    from nasablate.nets import Net

PURPOSE = "ensemble of trained networks"
_WEIGHTS = "weights.pt"
What = Literal["seeds", "mixed", "snapshots", "one network"]
OnNetwork = Callable[[str, int, int], None]
"""Is told a trial's name, how many networks are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Some networks averaged."""

    name: str
    what: What
    """Trainings of one network; of several; one training at several epochs; or one trained network,
    intact and with every single unit deleted."""
    members: tuple[str, ...]
    """``STUDY/NUMBER``, the epoch, or the deleted unit."""
    analysis: EnsembleAnalysis


@dataclass(frozen=True, slots=True)
class EnsembleResult:
    """All ensembles of some studies."""

    part: str
    data: str
    class_names: tuple[str, ...]
    ensembles: tuple[Ensemble, ...]
    skipped: tuple[str, ...]
    """Trials left out, and why."""

    def document(self) -> dict[str, Any]:
        """Return the result as plain JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Trained:
    study: StudyStore
    trial: TrialRecord
    group: str

    @property
    def weights(self) -> Path:
        return self.study.trial_folder(self.trial.number) / _WEIGHTS

    @property
    def snapshots(self) -> tuple[tuple[int, Path], ...]:
        """Epochs before the last and their weights; none if one of them is missing."""
        recipe = Recipe.parse(json.loads(self.trial.attributes["recipe"]))
        folder = self.weights.parent
        found = tuple((epoch, folder / f"weights.{epoch}.pt") for epoch in recipe.snapshot_epochs)
        return found if all(path.exists() for _, path in found) else ()


def run_ensemble(
    database: Database,
    names: Sequence[str],
    *,
    part: Literal["validation", "test"] | None = None,
    deletions: bool = False,
    on_network: OnNetwork | None = None,
) -> EnsembleResult:
    """Average the networks of studies, every network over its seeds and all of them together.

    Args:
        database: Where the studies are.
        names: Studies whose trials kept their weights; a deletion study stands for the networks it
            trained.
        part: The images; None takes those that judge the first study.
        deletions: Also make an ensemble of every trained network by itself, from its single-unit
            deletions.
        on_network: Is told how far it is.

    Raises:
        StoreError: there is no such study.
        InputError: fewer than two networks kept their weights, or studies have other images.
        DataError: the data cannot be used, or have no such part.
        RunError: weights cannot be read.
    """
    studies = [_study(database, name) for name in names]
    data = _same_data(studies)
    chosen = part or _judging_part(studies[0])
    trained, skipped = _trained(studies, several=len(studies) > 1)
    alone = deletions or any(member.snapshots for member in trained)
    if len(trained) < (1 if alone else 2):
        reason = skipped[0] if skipped else "no trial is complete"
        message = f"{', '.join(names)}: {len(trained)} networks kept their weights; {reason}"
        raise InputError(message)
    bench = _Bench(data, chosen)
    found: list[Ensemble] = []
    probabilities: dict[str, NDArray[np.float64]] = {}
    for done, member in enumerate(trained):
        if on_network is not None:
            on_network(member.trial.name, done, len(trained))
        net = bench.net(member)
        probabilities[member.trial.name] = bench.probabilities(net)
        _note_reading(member, chosen, probabilities[member.trial.name], bench.labels)
        if member.snapshots:
            found.append(bench.snapshots(member, probabilities[member.trial.name]))
        if deletions:
            found.append(bench.one_network(member, net))
    seeds = list(_over_seeds(trained, probabilities, bench))
    return EnsembleResult(
        part=chosen,
        data=bench.info.name,
        class_names=bench.info.class_names,
        ensembles=(*seeds, *found),
        skipped=tuple(skipped),
    )


def _study(database: Database, name: str) -> StudyStore:
    study = database.study(name)
    if study.attributes().get("kind") != "deletion":
        return study
    networks = database.find(networks_name_of(name))
    if networks is None:
        message = f"study {name!r} trained no networks of its own; name the study that did"
        raise InputError(message)
    return networks


def _same_data(studies: Sequence[StudyStore]) -> DataSpec:
    found = [json.loads(study.attributes()["spec"])["data"] for study in studies]
    for study, own in zip(studies, found, strict=True):
        if own != found[0]:
            message = (
                f"studies {studies[0].name!r} and {study.name!r} have other images;"
                " average networks of one data set"
            )
            raise InputError(message)
    return DataSpec.parse(found[0])


def _judging_part(study: StudyStore) -> Literal["validation", "test"]:
    spec = json.loads(study.attributes()["spec"])
    return "test" if spec.get("evaluate") == "test" else "validation"


def _trained(studies: Sequence[StudyStore], *, several: bool) -> tuple[list[_Trained], list[str]]:
    trained: list[_Trained] = []
    skipped: list[str] = []
    for study in studies:
        for trial in study.trials():
            own = _Trained(study, trial, _group(study, trial, several=several))
            if trial.state != "complete":
                skipped.append(f"{trial.name} is not complete ({trial.state})")
            elif not own.weights.exists():
                skipped.append(f"{trial.name} kept no weights")
            else:
                trained.append(own)
    return trained, skipped


def _group(study: StudyStore, trial: TrialRecord, *, several: bool) -> str:
    attributes = trial.attributes
    own = attributes.get("arm") or attributes.get("network") or attributes["network_digest"][:12]
    return f"{study.name}: {own}" if several else str(own)


def _over_seeds(
    trained: Sequence[_Trained],
    probabilities: "Mapping[str, NDArray[np.float64]]",
    bench: "_Bench",
) -> Iterator[Ensemble]:
    """Yield every network over its seeds, then all together if there are several networks."""
    groups: dict[str, list[str]] = {}
    for member in trained:
        groups.setdefault(member.group, []).append(member.trial.name)
    for name, members in groups.items():
        if len(members) > 1:
            yield bench.ensemble(name, "seeds", members, [probabilities[m] for m in members])
    if len(groups) > 1:
        every = list(probabilities)
        yield bench.ensemble("all", "mixed", every, list(probabilities.values()))


def _note_reading(
    member: _Trained,
    part: str,
    probabilities: "NDArray[np.float64]",
    labels: "NDArray[np.int64]",
) -> None:
    """Record that the test set was read, once per network."""
    import numpy as np

    if part != "test":
        return
    read = {r.number for r in member.study.test_readings() if r.purpose == PURPOSE}
    if member.trial.number in read:
        return
    right = probabilities.argmax(axis=1) == labels
    true = probabilities[np.arange(len(labels)), labels]
    member.study.add_test_reading(
        TestReading(
            study=member.study.name,
            number=member.trial.number,
            purpose=PURPOSE,
            error=100.0 * float((~right).mean()),
            loss=float(-np.log(np.maximum(true, 1e-12)).mean()),
            num_images=len(labels),
            correct=np.packbits(right).tobytes(),
            read_at=now(),
        )
    )


class _Bench:
    """The images, and what networks say of them."""

    def __init__(self, data: DataSpec, part: Literal["validation", "test"]) -> None:
        from nasablate.data import load_info, load_test, load_train

        self.info: DataInfo = load_info(data)
        if part == "test" and not self.info.num_test:
            message = f"{self.info.name} has no test images; use --part validation"
            raise DataError(message)
        self.part: Part = load_test(data) if part == "test" else load_train(data).val
        self.labels: NDArray[np.int64] = self.part.labels

    def net(self, member: _Trained, weights: Path | None = None) -> "Net":
        """Return a trained network, with its last weights or others of its training."""
        from nasablate.search.deletion_evaluation import weighted_net

        attributes = member.trial.attributes
        genome = Genome.parse(member.trial.genome)
        recipe = Recipe.parse(json.loads(attributes["recipe"]))
        return weighted_net(genome, recipe, weights or member.weights, member.trial.name)

    def probabilities(self, net: "Net") -> "NDArray[np.float64]":
        """Return the class probabilities, [images x classes]."""
        from nasablate.training.deletion.chains import intact

        return self._run(net, [intact(net.blueprint)])[0]

    def snapshots(self, member: _Trained, last: "NDArray[np.float64]") -> Ensemble:
        """Return the ensemble of a training's weights after several epochs."""
        epochs = [f"epoch {epoch}" for epoch, _ in member.snapshots]
        found = [self.probabilities(self.net(member, path)) for _, path in member.snapshots]
        name = f"snapshots of {member.trial.name} ({member.group})"
        return self.ensemble(name, "snapshots", [*epochs, "last epoch"], [*found, last])

    def one_network(self, member: _Trained, net: "Net") -> Ensemble:
        """Return the ensemble of a network and its single-unit deletions."""
        from nasablate.training.deletion.cases import intact_case, single_deletions

        cases = [intact_case(net.blueprint), *single_deletions(net.blueprint)]
        found = self._run(net, [case.chain for case in cases])
        names = [case.name if case.kind == "intact" else f"without {case.name}" for case in cases]
        return self.ensemble(f"{member.trial.name} ({member.group})", "one network", names, found)

    def ensemble(
        self,
        name: str,
        what: What,
        members: Sequence[str],
        probabilities: "Sequence[NDArray[np.float64]]",
    ) -> Ensemble:
        """Average probabilities."""
        import numpy as np

        return Ensemble(name, what, tuple(members), analyse(np.stack(probabilities), self.labels))

    def _run(self, net: "Net", chains: Sequence[Any]) -> "list[NDArray[np.float64]]":
        import numpy as np
        import torch

        from nasablate.data.batches import eval_batches
        from nasablate.training.deletion.evaluation import evaluate_chains

        batches = eval_batches(self.part, self.info, 256, torch.device("cpu"))
        results = evaluate_chains(net, chains, batches, keep_logits=True)
        assert results.logits is not None
        logits = results.logits.astype(np.float64)
        shifted = np.exp(logits - logits.max(axis=2, keepdims=True))
        return list(shifted / shifted.sum(axis=2, keepdims=True))
