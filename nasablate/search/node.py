"""What a node of a Ray cluster needs for the trials of a study, and whether it has it.

A trial may run on any node, and go on on another. So all of them need the versions that the driver
has, the study's folder under the same path, and the same images.
"""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from nasablate.errors import NasablateError
from nasablate.genome.data_spec import DataSpec

if TYPE_CHECKING:
    from nasablate.store import StudyStore

_PACKAGES = ("nasablate", "torch")


@dataclass(frozen=True)
class Needs:
    """What every machine that runs trials of a study needs."""

    folder: Path
    """The study's, in which workers leave checkpoints."""
    data: str
    """Canonical JSON of the data spec."""
    fingerprint: str
    """Of the images."""

    @classmethod
    def of(cls, study: "StudyStore", data: str) -> "Needs":
        """Return what the trials of a study need."""
        return cls(study.folder, data, str(study.attributes().get("data_fingerprint", "")))


@dataclass(frozen=True)
class Question:
    """What a node is asked."""

    cwd: str
    """The driver's folder."""
    folder: str
    """The study's."""
    word: str
    """Name and content of a file that the driver has put there."""
    data: str
    """Canonical JSON of the data spec."""
    fingerprint: str
    """Of the driver's images."""
    versions: dict[str, str]

    def to_json(self) -> str:
        """Return the question as one text."""
        return json.dumps(asdict(self))


def versions() -> dict[str, str]:
    """Return the versions here, without the part that says for which hardware a package is."""
    return {name: version(name).partition("+")[0] for name in _PACKAGES}


def look(asked: str) -> str:
    """Return what keeps trials from this machine, empty if nothing does."""
    question = Question(**json.loads(asked))
    here = versions()
    for name, wanted in question.versions.items():
        if here[name] != wanted:
            return f"has {name} {here[name]}, the driver {wanted}; install the same there"
    if not _shares_folder(question):
        return (
            f"cannot write to the driver's folder {question.folder}; start the command in a folder"
            " that all nodes share under one path"
        )
    enter(question.cwd)
    return _look_at_data(question)


def enter(cwd: str) -> None:
    """Go to the driver's folder, to which relative paths refer; stay where a node has none."""
    with contextlib.suppress(OSError):
        os.chdir(cwd)


def _shares_folder(question: Question) -> bool:
    path = Path(question.folder) / question.word
    try:
        path.with_name(f"{question.word}-{os.getpid()}").write_text("")
        return path.read_text() == question.word
    except OSError:
        return False


def _look_at_data(question: Question) -> str:
    from nasablate.data import load_info

    data = DataSpec.parse(json.loads(question.data))
    try:
        found = load_info(data)
    except NasablateError as error:
        return f"lacks the data: {error}"
    if found.fingerprint != question.fingerprint:
        return f"has other images for data {data.name} than the driver; copy the driver's there"
    return ""
