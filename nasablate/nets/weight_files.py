"""Reads files of weights without running anything that is in them.

Two forms are read: safetensors, and what ``torch.save`` writes, by torch's reader that knows
tensors and plain containers alone (``weights_only=True``). Which of them a file is, its content
says, not its name.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from nasablate.errors import NOT_GIVEN, Problem, SpecError, one_line

REMEDY = "get the file again, or save the state dict with safetensors"
_WRAPPERS = ("state_dict", "model", "model_state_dict", "module")
"""Keys under which training scripts keep the state dict in a checkpoint."""


@dataclass(frozen=True)
class WeightFile:
    """The tensors of a file by name, on the CPU, and the texts that came with them."""

    path: Path
    tensors: Mapping[str, Tensor]
    texts: Mapping[str, str]
    """The metadata of safetensors; empty for files of torch."""


def read_weights(path: Path) -> WeightFile:
    """Read a file of weights.

    A checkpoint that holds the state dict under ``state_dict`` or ``model`` counts as one, and
    ``module.`` before all names, which parallel training leaves there, goes.

    Raises:
        SpecError: the file cannot be read, is damaged, or holds anything but named tensors.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise refusal(path, f"cannot be read ({reason})", "check the path") from None
    # eight bytes give the length of safetensors' header, which is JSON
    if start[8:9] == b"{":
        return _read_safetensors(path)
    return WeightFile(path, _named_tensors(path, _read_torch(path, start)), {})


def refusal(path: Path, rule: str, remedy: str = REMEDY) -> SpecError:
    """Return the error that says why a file of weights is not used."""
    return SpecError(Problem("", NOT_GIVEN, rule, remedy, where=str(path)))


def _read_safetensors(path: Path) -> WeightFile:
    try:
        with cast("Any", safe_open(path, framework="pt")) as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            texts: dict[str, str] = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, KeyError, UnicodeError) as error:
        reason = one_line(str(error))[:200]
        raise refusal(path, f"is no whole safetensors file ({reason})") from None
    return WeightFile(path, _named_tensors(path, tensors), texts)


def _read_torch(path: Path, start: bytes) -> object:
    damaged = None
    try:
        if start.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:  # torch itself does not check the sums
                damaged = archive.testzip()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unusual pickles, which are refused or not
            found = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged and hostile files raise nearly anything
        rule = f"holds no plain tensors ({_reason(error)}); nothing in it was run"
        raise refusal(path, rule) from None
    if damaged is not None:
        raise refusal(path, f"is damaged ({one_line(damaged)} does not match its sum)")
    return found


def _reason(error: Exception) -> str:
    """Return what torch found, without its advice to load the file unsafely."""
    text = str(error)
    refused = re.search(r"[Uu]nsupported (?:global: )?GLOBAL ([\w.]+)", text)
    if refused is not None:
        return f"it asks for {refused[1]}"
    if "weights_only" in text:
        return "it asks for more than tensors"
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return one_line(f"{type(error).__name__} {first}".strip())[:200]


def _named_tensors(path: Path, found: object) -> dict[str, Tensor]:
    tensors = _unwrapped(found)
    if not isinstance(tensors, dict) or not tensors:
        kind = type(tensors).__name__ if not isinstance(tensors, dict) else "nothing"
        raise refusal(path, f"must hold tensors by name, not {kind}")
    named = cast("dict[Any, Any]", tensors)
    wrong = [name for name, value in named.items() if not _is_weight(name, value)]
    if wrong:
        rule = f"must hold tensors by name; {one_line(repr(wrong[0]))[:80]} is none"
        raise refusal(path, rule, "save the state dict alone")
    if all(name.startswith("module.") for name in named):
        named = {name.removeprefix("module."): value for name, value in named.items()}
    for name, value in named.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            rule = "holds values that are no numbers (NaN or infinity)"
            raise SpecError(Problem(name, NOT_GIVEN, rule, REMEDY, where=str(path)))
    return named


def _is_weight(name: object, value: object) -> bool:
    if not (isinstance(name, str) and isinstance(value, Tensor)):
        return False
    dense = value.layout == torch.strided and not value.is_quantized
    return dense and not value.is_complex() and value.device.type == "cpu"


def _unwrapped(found: object) -> object:
    if not isinstance(found, dict):
        return found
    whole = cast("dict[Any, Any]", found)
    for key in _WRAPPERS:
        inner = whole.get(key)
        if isinstance(inner, dict):
            return cast("dict[Any, Any]", inner)
    return whole
