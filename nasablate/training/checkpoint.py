"""Checkpoints: written whole or not at all, taken up only by the job that wrote them."""

import contextlib
import dataclasses
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from nasablate.training.job import EpochRecord, Execution, StepRecord

CHECKPOINT = "checkpoint.pt"
WEIGHTS = "weights.pt"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training after its last epoch, that of ``records[-1]``."""

    model: dict[str, Any]
    optimizer: dict[str, Any]
    records: tuple[EpochRecord, ...]
    average: dict[str, Any] | None = None
    """The averaged weights by name, where the recipe asks for an average."""
    execution: Execution | None = None
    """How steps were executed, and are to be; None in files from before there was a choice."""


def save_checkpoint(folder: Path, owner: str, state: Checkpoint) -> None:
    """Write the checkpoint of the job ``owner`` (a digest) so that no reader sees half of it."""
    execution = None if state.execution is None else dataclasses.asdict(state.execution)
    document = {
        "owner": owner,
        "epoch": len(state.records),
        "model": state.model,
        "optimizer": state.optimizer,
        "records": [dataclasses.asdict(record) for record in state.records],
        "average": state.average,
        "execution": execution,
    }
    _write(folder / CHECKPOINT, document)


def load_checkpoint(folder: Path, owner: str, device: torch.device) -> Checkpoint | None:
    """Return the checkpoint of ``owner``; None if there is none, it is another's or damaged."""
    document = _read(folder / CHECKPOINT, device)
    if document is None or document.get("owner") != owner:
        return None
    execution = document.get("execution")
    return Checkpoint(
        document["model"],
        document["optimizer"],
        tuple(_record(record) for record in document["records"]),
        document.get("average"),
        None if execution is None else Execution(**execution),
    )


def _record(document: dict[str, Any]) -> EpochRecord:
    steps: Any = tuple(StepRecord(**step) for step in document.get("steps", ()))
    return EpochRecord(**{**document, "steps": steps})


def remove_checkpoint(folder: Path) -> None:
    """Remove the checkpoint and what an interrupted writer left of one."""
    for path in (folder / CHECKPOINT, *folder.glob(f"{CHECKPOINT}.*.tmp")):
        path.unlink(missing_ok=True)


def save_weights(folder: Path, net: nn.Module, name: str = WEIGHTS) -> None:
    """Write the state dict alone, loadable with ``torch.load(..., weights_only=True)``."""
    _write(folder / name, net.state_dict())


def snapshot_name(epoch: int) -> str:
    """Return the file of the weights after an epoch that is not the last."""
    return f"weights.{epoch}.pt"


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        # Through memory, since torch hides why a file cannot be written.
        buffer = io.BytesIO()
        torch.save(document, buffer)
        temporary.write_bytes(buffer.getbuffer())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _read(path: Path, device: torch.device) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        with zipfile.ZipFile(path) as archive:  # torch itself does not check the CRCs
            if archive.testzip() is not None:
                return None
        document: Any = torch.load(path, map_location=device, weights_only=True)
    except Exception:  # a damaged file may raise nearly anything, and is ignored by contract
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None
