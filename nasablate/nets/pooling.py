"""Pooling modules."""

from typing import assert_never

from jaxtyping import Float
from torch import Tensor, nn

from nasablate.blueprint import ops


def pool(op: ops.Pool) -> nn.Module:
    """Return the pooling module; an average is over real pixels unless the op counts padding."""
    match op.kind:
        case "max":
            return nn.MaxPool2d(op.kernel, op.stride, op.padding, ceil_mode=op.ceil)
        case "avg":
            return nn.AvgPool2d(
                op.kernel,
                op.stride,
                op.padding,
                ceil_mode=op.ceil,
                count_include_pad=op.count_padding,
            )
        case _:
            assert_never(op.kind)


class GlobalPool(nn.Module):
    """Mean over all positions."""

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels 1 1"]:
        """Return one number per channel."""
        return x.mean(dim=(2, 3), keepdim=True)
