"""A user's own branch: measured when the genome is lowered, under permission only."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Custom as CustomOp
from nasablate.blueprint.ops import Shape
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.units.step import After, Step
from nasablate.errors import GenomeError, Problem
from nasablate.genome.units import Custom


class Meter(Protocol):
    """Loads a user's class and counts it; lives above this package, since it needs torch."""

    def __call__(self, unit: Custom, shape: Shape, outputs: int, stride: int) -> CustomOp:
        """Return the operation for an input of ``shape`` (channels, height, width).

        Raises:
            GenomeError: the class cannot be loaded, or does not keep to its contract.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Permission:
    meter: Meter
    folder: str


_GIVEN: ContextVar[_Permission | None] = ContextVar("permission", default=None)


@contextmanager
def permitted(meter: Meter, folder: str) -> Generator[None]:
    """Allow custom units inside the block: ``meter`` loads them from ``folder`` and counts them."""
    token = _GIVEN.set(_Permission(meter, folder))
    try:
        yield
    finally:
        _GIVEN.reset(token)


def code_folder() -> str:
    """Return the folder that users' code comes from, empty where none is permitted."""
    given = _GIVEN.get()
    return "" if given is None else given.folder


def custom_steps(unit: Custom, inputs: int, site: Site) -> list[Step]:
    """Return the one step that is the user's class.

    Raises:
        GenomeError: nobody allowed code of the user's own, or the meter refuses the class.
    """
    del inputs  # the class sees the whole shape
    given = _GIVEN.get()
    if given is None:
        rule = "names code of your own, which is not run without permission"
        remedy = "add --allow-code if you trust it"
        raise GenomeError(Problem("unit.class", unit.class_, rule, remedy, loc=("unit", "class")))

    def emit(draft: Draft, source: int, after: After) -> int:
        op = given.meter(unit, draft.shape(source), site.width, site.stride)
        return draft.emit_slot(
            after.prefix, after.slot, draft.emit("custom", op, source), after.drop_block
        )

    return [emit]
