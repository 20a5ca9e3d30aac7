"""Files that optuna-dashboard offers beside a trial: its genome, its curve, kept weights.

All studies of a database share one folder, as optuna-dashboard takes one for all. A file that is
kept anyway is linked, not copied, where the file system can.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from optuna.artifacts import upload_artifact

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

ARTIFACTS_FOLDER = "_artifacts"
"""Beside the folders of the studies; no study can have this name."""
_PREFIX = "artifacts:"


class LinkedFiles:
    """Optuna's interface of a store of artifacts, over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open an artifact."""
        return (self._folder / artifact_id).open("rb")

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Link the file, or copy it where that cannot be done."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / artifact_id
        try:
            os.link(content_body.name, target)
        except OSError:
            with target.open("wb") as copy:
                shutil.copyfileobj(content_body, copy)

    def remove(self, artifact_id: str) -> None:
        """Delete an artifact."""
        (self._folder / artifact_id).unlink()


def attach_files(
    storage: "RDBStorage",
    trial_id: int,
    folder: Path,
    texts: Mapping[str, str],
    files: Sequence[Path],
) -> None:
    """Offer files beside a trial that has not finished; those it has already are left alone.

    Args:
        storage: Holds the trial.
        trial_id: Of the storage.
        folder: Where artifacts live.
        texts: Contents by file name.
        files: Files that are there; those that are not are passed over.

    Raises:
        OSError: the folder cannot be written.
    """
    trial = storage.get_trial(trial_id)
    known = {
        json.loads(value)["filename"]
        for key, value in storage.get_trial_system_attrs(trial_id).items()
        if key.startswith(_PREFIX) and value
    }
    store = LinkedFiles(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for name, text in texts.items():
            (Path(scratch) / name).write_text(text, encoding="utf-8")
        for path in [*(Path(scratch) / name for name in texts), *files]:
            if path.is_file() and path.name not in known:
                upload_artifact(
                    artifact_store=store,
                    file_path=str(path),
                    study_or_trial=trial,
                    storage=storage,
                    mimetype=_TYPES.get(path.suffix),
                )


_TYPES = {".yaml": "text/plain", ".csv": "text/csv", ".txt": "text/plain"}
