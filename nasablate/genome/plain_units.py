"""Units of the networks before residual ones: convolutions, mlpconv and inception."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import Count, SpecModel

Kernel = Annotated[int, Field(ge=1, le=31)]
KernelShape = Kernel | tuple[Kernel, Kernel]
"""A side, or height and width."""
Padding = Annotated[int, Field(ge=0, le=31)] | Literal["same"]
Form = Literal["square", "stacked", "row_column", "column_row", "parallel"]
"""How an n x n convolution is carried out (arXiv 1512.00567, Fig. 1, 3, 6 and 7): as one; as 3x3
convolutions of the same field of view; as 1 x n and n x 1 one after the other, in either order;
or side by side, each with half of the width."""


class Convolution(SpecModel):
    """One convolution, whole or factorised (LeNet, AlexNet, VGG)."""

    kind: Literal["conv"] = "conv"
    kernel: Kernel = 3
    """Side of the window."""
    width: Count | None = None
    """Output channels; null means the widening schedule's width. Its multiplier applies."""
    padding: Padding = "same"
    """``same`` keeps the size where nothing strides; 0 is none."""
    cardinality: Count = 1
    """Number of groups: 2 are AlexNet's two towers. The width is rounded to a multiple."""
    form: Form = "square"


class MlpConv(SpecModel):
    """A convolution and 1x1 convolutions, each with the slot ``between`` or, at last, ``post``.

    Source: Lin et al. 2013, arXiv 1312.4400, Fig. 2.
    """

    kind: Literal["mlpconv"] = "mlpconv"
    kernel: Kernel = 3
    """Side of the first convolution's window."""
    padding: Padding = "same"
    pointwise: Annotated[int, Field(ge=0, le=16)] = 2
    """Number of 1x1 convolutions."""
    widths: tuple[Count, ...] | None = None
    """Of all convolutions in order; null means the widening schedule's width for each."""


class BranchConv(SpecModel):
    """A convolution of an inception branch."""

    kernel: KernelShape = 3
    width: Count
    form: Form = "square"


class Branch(SpecModel):
    """Pool, 1x1 reduction and convolutions, in that order; without all three, the input itself."""

    pool: Literal["none", "max", "avg"] = "none"
    pool_kernel: Kernel = 3
    count_padding: bool = True
    """Whether an average divides by the whole window where it overlaps the padding."""
    reduce: Count | None = None
    """Width of a 1x1 convolution; null leaves it out."""
    convs: Annotated[tuple[BranchConv, ...], Field(max_length=16)] = ()


def _googlenet() -> tuple[Branch, ...]:
    """Return the branches of GoogLeNet's inception (3a)."""
    return (
        Branch(reduce=64),
        Branch(reduce=96, convs=(BranchConv(kernel=3, width=128),)),
        Branch(reduce=16, convs=(BranchConv(kernel=5, width=32),)),
        Branch(pool="max", reduce=32),
    )


class Inception(SpecModel):
    """Branches side by side, whose channels are concatenated (Szegedy et al., 1409.4842, Fig. 2).

    In a unit that strides the last convolution of every branch does, or its pool if it has one:
    the parallel grid reduction of arXiv 1512.00567, Fig. 10. The slot ``between`` follows all
    convolutions but the last of a branch, ``post`` the last, ``merged`` the concatenation.
    """

    kind: Literal["inception"] = "inception"
    branches: Annotated[tuple[Branch, ...], Field(min_length=1, max_length=16)] = _googlenet()
    widths: Literal["schedule", "own"] = "schedule"
    """``own``: as written, times the widening's multiplier. ``schedule``: scaled so that the
    branches with a width of their own have the widening schedule's width together."""
    padding: Literal["same", "valid"] = "same"
    """``valid``: the last convolution of a branch, or the pool of one without, has no padding
    (Inception-v3's reductions)."""
