"""Networks for other programs: ``torch.export`` programs and ONNX files, checked once written."""

import logging
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nasablate.errors import InputError, RunError
from nasablate.nets.build import Net

LIMIT = 1e-4
"""Largest difference from our logits, relative to the largest logit or 1, in float32."""
BATCHES = (1, 3)
"""Sizes of the batches that are compared: a file has to take any number of images."""
_ONNX = ("onnx", "onnxruntime", "onnxscript")
"""What the ``onnx`` extra brings; torch's exporter needs the last."""


def write_program(path: Path, net: Net, texts: Mapping[str, str]) -> float:
    """Write a ``torch.export`` program (.pt2) for any number of images.

    Returns:
        The largest difference of the program read back from the network.

    Raises:
        RunError: the network cannot be traced, or the program computes something else.
    """
    with _quiet(), _traced("torch.export"):
        program = _program(net)
        torch.export.save(program, path, extra_files=dict(texts))
        module: nn.Module = torch.export.load(path).module()
    return _checked(net, module, "torch.export program")


def write_onnx(path: Path, net: Net, texts: Mapping[str, str]) -> float:
    """Write an ONNX file for any number of images; ``images`` in, ``logits`` out.

    Returns:
        The largest difference of onnxruntime's logits from the network's.

    Raises:
        InputError: the packages of the ``onnx`` extra are not installed.
        RunError: the network cannot be traced, or onnxruntime computes something else.
    """
    onnx, onnxruntime = _onnx_packages()
    with _quiet(), _traced("ONNX"):
        exported = torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
            _program(net),
            input_names=["images"],
            output_names=["logits"],
            dynamo=True,
            verbose=False,
        )
        assert exported is not None
        model = exported.model_proto
        for key, value in texts.items():
            entry = model.metadata_props.add()
            entry.key, entry.value = key, value
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> Tensor:
        return torch.tensor(session.run(None, {"images": images.numpy()})[0])

    return _checked(net, run, "ONNX file")


def _program(net: Net) -> torch.export.ExportedProgram:
    images = torch.zeros(2, *net.blueprint.input)
    batch = {0: torch.export.Dim("batch", min=1, max=65536)}
    return torch.export.export(net.eval(), (images,), dynamic_shapes={"images": batch})


@torch.no_grad()
def _checked(net: Net, other: Any, what: str) -> float:
    """Return the largest difference on random images.

    Raises:
        RunError: it is above the limit.
    """
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for size in BATCHES:
        images = torch.randn(size, *net.blueprint.input, generator=generator)
        wanted, found = net(images), other(images)
        scale = max(1.0, float(wanted.abs().max()))
        error = float((found - wanted).abs().max()) / scale
        worst = error if error != error else max(worst, error)  # noqa: PLR0124 - NaN
        if not worst <= LIMIT:
            break
    if not worst <= LIMIT:
        message = f"the {what} differs from the network by {worst:.1e}, more than {LIMIT:g}"
        raise RunError(message)
    return worst


def _onnx_packages() -> tuple[Any, Any]:
    try:
        onnx, onnxruntime, _ = (import_module(name) for name in _ONNX)
    except ImportError as error:
        message = f"ONNX files need {error.name}: pip install 'nasablate[onnx]'"
        raise InputError(message) from None
    return onnx, onnxruntime


@contextmanager
def _traced(form: str) -> Generator[None]:
    """Say what failed where torch or onnxruntime raises."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        message = f"cannot be written as {form} ({type(error).__name__}: {reason})"
        raise RunError(message) from error


@contextmanager
def _quiet() -> Generator[None]:
    """Keep the exporters' notes on their own work from the user."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
