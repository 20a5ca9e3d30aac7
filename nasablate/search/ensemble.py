"""Ensembles of networks that kept their weights: over seeds, over arms, and of one network.

Databases keep which images are right, not class probabilities, so these are computed from the
weights, once: ``ensemble_logits`` keeps them beside the study.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nasablate.analysis.ensembles import analyse
from nasablate.blueprint import lower
from nasablate.errors import InputError
from nasablate.genome import DataSpec
from nasablate.search.ensemble_members import Trained, find_members
from nasablate.search.ensemble_result import Ensemble, EnsembleResult, What, keep_ensembles
from nasablate.store import Database, StudyStore, TestReading, now
from nasablate.training.deletion.cases import possible_units

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nasablate.search.deletion_evaluation import Place
    from nasablate.search.ensemble_logits import Bench

    Probabilities = NDArray[np.float64]
    """[images x classes]"""

PURPOSE = "ensemble of trained networks"
DEFAULT_MEMORY = 2 * 2**30
Part = Literal["validation", "test"]
OnNetwork = Callable[[str, int, int], None]
"""Is told a trial's name, how many networks are done, and of how many."""


@dataclass(frozen=True, slots=True)
class EnsembleOptions:
    """What ensembles are made of, and with which means."""

    part: Part | None = None
    """The images; None takes those that judge the first study."""
    arms: tuple[str, ...] = ()
    """Names of arms or networks; none for all."""
    deletions: bool = False
    """Also make an ensemble of every trained network by itself, from its single-unit deletions."""
    memory: int = DEFAULT_MEMORY
    """Bytes that activations may take in one process, and the probabilities averaged in this
    one."""


def run_ensemble(
    database: Database,
    names: Sequence[str],
    options: EnsembleOptions | None = None,
    on_network: OnNetwork | None = None,
) -> EnsembleResult:
    """Average the networks of studies, every network over its seeds and all of them together.

    The result is kept with the first study, where its reports find it.

    Args:
        database: Where the studies are.
        names: Studies whose trials kept their weights; a deletion study stands for its networks.
        options: Which networks, images and means.
        on_network: Is told how far it is.

    Raises:
        StoreError: there is no such study.
        InputError: fewer than two networks have weights, there is no such arm, studies have other
            images, or memory is too small.
        DataError: the data cannot be used, or have no such part.
        RunError: weights cannot be read.
    """
    from nasablate.data import load_info

    asked = options or EnsembleOptions()
    studies = [database.study(name) for name in names]
    data = _same_data(studies)
    info = load_info(data)
    members = find_members(database, studies, info, asked.arms)
    alone = asked.deletions or any(member.snapshots for member in members.trained)
    if len(members.trained) < (1 if alone else 2):
        reason = members.skipped[0] if members.skipped else "no trial is complete"
        message = f"{', '.join(names)}: {len(members.trained)} networks have weights; {reason}"
        raise InputError(message)
    from nasablate.search.ensemble_logits import Bench

    bench = Bench(data, info, asked.part or _judging_part(studies[0]), _place(asked.memory))
    work = _Work(bench, asked, members.trained, on_network)
    found = EnsembleResult(
        studies=tuple(names),
        part=bench.name,
        data=info.name,
        class_names=info.class_names,
        ensembles=tuple(work.run()),
        skipped=(*members.skipped, *work.skipped),
    )
    keep_ensembles(studies[0], found)
    return found


def _place(memory: int) -> "Place":
    from nasablate.genome.space import Resources
    from nasablate.search.deletion_evaluation import Place
    from nasablate.search.job import choose_device
    from nasablate.search.timing import concurrent_trials

    return Place(choose_device(1.0), concurrent_trials(Resources()), 1, memory)


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


def _judging_part(study: StudyStore) -> Part:
    spec = json.loads(study.attributes()["spec"])
    return "test" if spec.get("evaluate") == "test" else "validation"


class _Work:
    """Makes all ensembles, network by network."""

    def __init__(
        self,
        bench: "Bench",
        options: EnsembleOptions,
        trained: Sequence[Trained],
        on_network: OnNetwork | None,
    ) -> None:
        self.bench = bench
        self.options = options
        self.trained = trained
        self.on_network = on_network
        self.skipped: list[str] = []

    def run(self) -> list[Ensemble]:
        """Return every network over its seeds, all together, then networks by themselves."""
        self._check_all_memory()
        alone: list[Ensemble] = []
        probabilities: dict[str, Probabilities] = {}
        for done, member in enumerate(self.trained):
            if self.on_network is not None:
                self.on_network(member.name, done, len(self.trained))
            own = self.bench.probabilities(member)
            if not _are_finite(own):
                self.skipped.append(f"{member.name}: its logits are no numbers")
                continue
            probabilities[member.name] = own
            self._note_reading(member, own)
            alone += self._snapshots(member, own)
            alone += self._without_units(member)
        return [*self._over_seeds(probabilities), *alone]

    def _over_seeds(self, probabilities: "Mapping[str, Probabilities]") -> Iterator[Ensemble]:
        groups: dict[str, list[str]] = {}
        for member in self.trained:
            if member.name in probabilities:
                groups.setdefault(member.group, []).append(member.name)
        for name, members in groups.items():
            if len(members) > 1:
                yield self._ensemble(name, "seeds", members, [probabilities[m] for m in members])
        if len(groups) > 1:
            every = list(probabilities)
            yield self._ensemble("all", "mixed", every, list(probabilities.values()))

    def _snapshots(self, member: Trained, last: "Probabilities") -> Iterator[Ensemble]:
        """Yield the ensemble of a training's weights after several epochs, if it kept them."""
        if not member.snapshots:
            return
        epochs = [f"epoch {epoch}" for epoch, _ in member.snapshots]
        found = [self.bench.probabilities(member, path) for _, path in member.snapshots]
        name = f"snapshots of {member.name} ({member.group})"
        yield self._ensemble(name, "snapshots", [*epochs, "last epoch"], [*found, last])

    def _without_units(self, member: Trained) -> Iterator[Ensemble]:
        """Yield the ensemble of a network and its single-unit deletions, if asked."""
        if not self.options.deletions:
            return
        names, found = self.bench.without_units(member)
        if _are_finite(found):
            yield self._ensemble(f"{member.name} ({member.group})", "one network", names, found)
        else:
            self.skipped.append(f"{member.name} with units deleted: its logits are no numbers")

    def _check_all_memory(self) -> None:
        """Refuse what memory does not hold before anything is computed."""
        self._check_memory(len(self.trained), f"{len(self.trained)} networks")
        for member in self.trained if self.options.deletions else ():
            units = len(possible_units(lower(member.genome)))
            self._check_memory(1 + units, f"{member.name} and its {units} deletions")

    def _check_memory(self, members: int, what: str) -> None:
        needed = self.bench.bytes_needed(members)
        if needed > self.options.memory:
            message = (
                f"--memory {self.options.memory / 2**30:.3g}GiB: the probabilities of {what} take"
                f" {needed / 2**30:.3g}GiB; allow more, or take fewer networks with --arms"
            )
            raise InputError(message)

    def _ensemble(
        self,
        name: str,
        what: What,
        members: Sequence[str],
        probabilities: "Sequence[Probabilities] | NDArray[np.float64]",
    ) -> Ensemble:
        import numpy as np

        stacked = np.asarray(probabilities)
        return Ensemble(name, what, tuple(members), analyse(stacked, self.bench.labels))

    def _note_reading(self, member: Trained, probabilities: "Probabilities") -> None:
        """Record that the test set was read, once per network."""
        import numpy as np

        if self.bench.name != "test":
            return
        read = {r.number for r in member.study.test_readings() if r.purpose == PURPOSE}
        if member.number in read:
            return
        labels = self.bench.labels
        right = probabilities.argmax(axis=1) == labels
        true = probabilities[np.arange(len(labels)), labels]
        member.study.add_test_reading(
            TestReading(
                study=member.study.name,
                number=member.number,
                purpose=PURPOSE,
                error=100.0 * float((~right).mean()),
                loss=float(-np.log(np.maximum(true, 1e-12)).mean()),
                num_images=len(labels),
                correct=np.packbits(right).tobytes(),
                read_at=now(),
            )
        )


def _are_finite(probabilities: "NDArray[np.float64]") -> bool:
    import numpy as np

    return bool(np.isfinite(probabilities).all())
