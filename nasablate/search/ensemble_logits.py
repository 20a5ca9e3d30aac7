"""Logits of trained networks on all images, computed once and kept with their study.

One file per network, part of the data and question, in the folder ``ensemble`` of the study; it is
found again by the weights themselves, so new weights never meet old logits.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from nasablate.blueprint import Blueprint, lower
from nasablate.data import DataInfo, load_test, load_train
from nasablate.data.images import Part, fingerprint
from nasablate.errors import DataError
from nasablate.genome import DataSpec
from nasablate.nets import Net
from nasablate.search.deletion_evaluation import Place, run_chains, weighted_net
from nasablate.search.ensemble_members import Trained
from nasablate.store import StudyStore
from nasablate.training.deletion.cases import Case, intact_case, single_deletions
from nasablate.training.deletion.chains import Chain

FOLDER = "ensemble"
Logits = NDArray[np.float32]
"""[chains x images x classes]"""


class Bench:
    """The images, and what networks say of them."""

    def __init__(
        self, data: DataSpec, info: DataInfo, part: Literal["validation", "test"], place: Place
    ) -> None:
        if part == "test" and not info.num_test:
            message = f"{info.name} has no test images; use --part validation"
            raise DataError(message)
        self.info = info
        self.place = place
        self.name = part
        self.part: Part = load_test(data) if part == "test" else load_train(data).val
        self.labels: NDArray[np.int64] = self.part.labels
        images = fingerprint(self.part) + info.fingerprint  # the latter for what is subtracted
        self._images = hashlib.sha256(images.encode()).hexdigest()[:12]

    def probabilities(self, member: Trained, weights: Path | None = None) -> NDArray[np.float64]:
        """Return class probabilities [images x classes], of the last weights or of others.

        Raises:
            RunError: the weights are damaged or another network's.
        """
        source = weights or member.weights
        return softmax(self._logits(member, source, "intact"))[0]

    def without_units(self, member: Trained) -> tuple[list[str], NDArray[np.float64]]:
        """Return the probabilities of the intact network and without each unit, with their names.

        Raises:
            RunError: the weights are damaged or another network's.
        """
        cases = _cases(lower(member.genome))
        names = [case.name if case.kind == "intact" else f"without {case.name}" for case in cases]
        return names, softmax(self._logits(member, member.weights, "units"))

    def bytes_needed(self, members: int) -> int:
        """Return what averaging so many networks takes: logits, probabilities and their means."""
        return 24 * members * len(self.labels) * self.info.classes

    def _logits(self, member: Trained, weights: Path, what: Literal["intact", "units"]) -> Logits:
        kept = self._kept(member.study, weights, what)
        found = _read(kept, (len(self.labels), self.info.classes))
        if found is None:
            net = weighted_net(
                member.genome, member.recipe, weights, member.name, self.place.device
            )
            cases = _cases(net.blueprint)
            chosen = cases[:1] if what == "intact" else cases
            found = self._run(net, [case.chain for case in chosen])
            _write(kept, found)
        return found

    def _run(self, net: Net, chains: Sequence[Chain]) -> Logits:
        results = run_chains(self.place, net, chains, self.part, self.info, keep_logits=True)
        assert results.logits is not None
        return results.logits

    def _kept(self, study: StudyStore, weights: Path, what: str) -> Path:
        own = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        name = f"{own}.{self.name}.{self._images}.{what}.npy"
        return study.folder / FOLDER / name


def softmax(logits: Logits) -> NDArray[np.float64]:
    """Return probabilities over the last axis."""
    wide = logits.astype(np.float64)
    shifted = np.exp(wide - wide.max(axis=-1, keepdims=True))
    return cast("NDArray[np.float64]", shifted / shifted.sum(axis=-1, keepdims=True))


def _cases(blueprint: Blueprint) -> list[Case]:
    return [intact_case(blueprint), *single_deletions(blueprint)]


def _read(path: Path, images: tuple[int, int]) -> Logits | None:
    """Return kept logits; None if there are none, or the file is damaged."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.dtype == np.float32 and found.shape[1:] == images else None


def _write(path: Path, logits: Logits) -> None:
    """Keep logits; the file is whole or absent, and a full disk costs nothing but the time."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, logits)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
