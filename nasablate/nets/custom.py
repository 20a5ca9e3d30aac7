"""Users' own branches: loading the class, counting it on the meta device, building it."""

import hashlib
import importlib
import inspect
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nasablate.blueprint import ops
from nasablate.blueprint.units.custom import permitted
from nasablate.errors import GenomeError, Problem, one_line
from nasablate.genome.units import Custom


@contextmanager
def allow_code(folder: str) -> Generator[None]:
    """Permit users' own units inside the block, with ``folder`` as a place to import from."""
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        with permitted(meter, folder):
            yield
    finally:
        if added and folder in sys.path:
            sys.path.remove(folder)


def meter(unit: Custom, shape: ops.Shape, outputs: int, stride: int) -> ops.Custom:
    """Load a user's class, run it on torch's meta device and return what it is and costs.

    MACs are torch's own count of the forward pass (convolutions and matrix products).

    Raises:
        GenomeError: the module or class does not exist, cannot be made or run with these
            arguments, or returns another shape than its contract asks for.
    """
    cls = _load(unit.class_)
    arguments = json.dumps(unit.arguments, sort_keys=True)
    with _reported(unit.class_, f"failed for an input of {_text(shape)}"):
        with torch.device("meta"):
            module = cls(shape[0], outputs, stride, **unit.arguments).eval()
            images = torch.empty(2, *shape)
        activations = _Activations(module)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            result = module(images)
    wanted = (outputs, *(-(-length // stride) for length in shape[1:]))
    found = tuple(result.shape[1:]) if isinstance(result, Tensor) else type(result).__name__
    if found != wanted:
        rule = f"must return {_text(wanted)} for an input of {_text(shape)}, stride {stride}"
        returned = _text(found) if isinstance(found, tuple) else found
        raise _refuse(unit.class_, f"{rule}, not {returned}", "mend its forward method")
    norms = [inner for inner in module.modules() if isinstance(inner, _NORMS)]
    return ops.Custom(
        path=unit.class_,
        source=_source_hash(cls),
        arguments=arguments,
        inputs=shape[0],
        width=outputs,
        stride=stride,
        shape=wanted,
        params=sum(p.numel() for p in module.parameters()),
        norm_params=sum(p.numel() for norm in norms for p in norm.parameters()),
        macs=counter.get_total_flops() // 4,
        activations=activations.total,
        conv_activations=activations.conv,
    )


class CustomModule(nn.Module):
    """A user's module; ``remake`` gives it fresh initial weights under a seed."""

    def __init__(self, op: ops.Custom) -> None:
        super().__init__()
        self._op = op
        self.body = self._make()

    def forward(self, x: Tensor) -> Tensor:
        """Return the user's module's result."""
        return self.body(x)

    def remake(self, seed: int) -> None:
        """Initialise the user's module by its own rule from a seed; torch's state is kept."""
        with torch.random.fork_rng(devices=[]):  # pyright: ignore[reportUnknownMemberType]
            torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
            self.body.load_state_dict(self._make().state_dict())

    def _make(self) -> nn.Module:
        op = self._op
        module = _load(op.path)(op.inputs, op.width, op.stride, **json.loads(op.arguments))
        assert isinstance(module, nn.Module)
        return module


def custom_module(op: ops.Custom) -> nn.Module:
    """Return the module of a user's class that was lowered under permission."""
    return CustomModule(op)


_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


class _Activations:
    """Counts output elements per image of the innermost modules, for two images."""

    def __init__(self, module: nn.Module) -> None:
        self.total = self.conv = 0
        for inner in module.modules():
            if not list(inner.children()):
                inner.register_forward_hook(self._count)

    def _count(self, module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            elements = prod(output.shape[1:])
            self.total += elements
            self.conv += elements if isinstance(module, nn.Conv2d | nn.Linear) else 0


def _load(path: str) -> type[nn.Module]:
    name, _, attribute = path.partition(":")
    with _reported(path, f"the module {name} cannot be imported"):
        module = importlib.import_module(name)
    cls = getattr(module, attribute, None)
    if cls is None:
        raise _refuse(path, f"the module {name} has no {attribute}", "name one of its classes")
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        raise _refuse(path, "must be a subclass of torch.nn.Module", "name such a class")
    return cls


def _source_hash(cls: type[nn.Module]) -> str:
    file = inspect.getsourcefile(cls)
    if file is None:
        raise _refuse(cls.__name__, "its source file cannot be found", "keep it in a .py file")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


class _reported:  # noqa: N801 - used as a verb in a with statement
    """Turns whatever a user's code raises into one of our errors."""

    def __init__(self, path: str, rule: str) -> None:
        self._path, self._rule = path, rule

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, GenomeError):
            detail = f"{type(error).__name__}: {one_line(str(error))}"
            raise _refuse(self._path, f"{self._rule} ({detail})", "mend the class") from error


def _refuse(path: str, rule: str, remedy: str) -> GenomeError:
    return GenomeError(Problem("unit.class", path, rule, remedy, loc=("unit", "class")))


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
