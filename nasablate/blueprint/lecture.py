"""The layer table as lectures print it: convolutions, pools and linear layers, in whole units."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from nasablate.blueprint.blueprint import Blueprint
from nasablate.blueprint.describe import op_text
from nasablate.blueprint.layer import Layer
from nasablate.blueprint.layer_cost import FLOAT_BYTES, layer_macs, layer_params
from nasablate.blueprint.ops import AdaptivePool, Conv, Flatten, GlobalPool, Linear, Pool

HEADERS = ("layer", "what", "output", "memory KB", "params k", "MACs M")


@dataclass(frozen=True, slots=True)
class LectureRow:
    """One line: a layer under the name that it has in lectures."""

    layer: str
    """``conv3``; ``pool3`` after it; linear layers go on counting, as ``fc6``."""
    what: str
    output: str
    memory_kb: str
    """Of the output in float32, for one image, in KB of 1024 bytes."""
    params_k: str
    macs_m: str

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the columns."""
        return (
            self.layer,
            self.what,
            self.output,
            self.memory_kb,
            self.params_k,
            self.macs_m,
        )


def lecture_rows(blueprint: Blueprint) -> Iterator[LectureRow]:
    """Yield the table's lines; activations, norms, dropout, sums and the like are left out."""
    number = 0
    for layer in blueprint.layers:
        number += isinstance(layer.op, Conv | Linear)
        name = _name(layer, number)
        if name:
            yield LectureRow(
                name,
                op_text(layer.op).removesuffix(", bias"),
                " x ".join(map(str, layer.shape)),
                f"{prod(layer.shape) * FLOAT_BYTES / 1024:,.0f}",
                f"{layer_params(layer) / 1e3:,.0f}",
                f"{layer_macs(layer) / 1e6:,.0f}",
            )


def _name(layer: Layer, number: int) -> str:
    match layer.op:
        case Conv():
            return f"conv{number}"
        case Linear():
            return f"fc{number}"
        case Pool() | AdaptivePool():
            return f"pool{number}"
        case GlobalPool():
            return "average"
        case Flatten():
            return "flatten"
        case _:
            return ""
