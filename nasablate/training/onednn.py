"""Room for oneDNN's compiled operations, and a way round a defect that corrupts memory.

The weight gradient of a strided 1x1 convolution over channels-last tensors is written past its
buffer when a group has fewer input channels than a vector block (8 with AVX2, 16 with AVX-512):
wrong gradients, a crash or a hang. Seen with torch 2.13; reported as oneDNN issue 6035.
"""

import os

from torch import Tensor, nn

_WIDEST_BLOCK = 16
_PRIMITIVES = "8192"
"""oneDNN keeps 1024 by default. Four networks whose width grows in every unit,
trained in turn in one process, took 2.9 s of processor time instead of 1.0."""


def keep_primitives() -> None:
    """Let oneDNN keep the operations of several deep networks, unless the user said otherwise.

    It reads the variable when it first runs, so this comes before the first convolution.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", _PRIMITIVES)


def avoid_strided_pointwise(net: nn.Module) -> None:
    """Make narrow strided 1x1 convolutions subsample first; outputs and parameters stay the same.

    They read one pixel in ``stride ** 2``, so a slice and a convolution of stride 1 are equal.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and _is_affected(module):
            subsample = _Subsample(module.stride[0])
            module.stride = (1, 1)
            module.register_forward_pre_hook(subsample)


def _is_affected(conv: nn.Conv2d) -> bool:
    strided = conv.kernel_size == (1, 1) and conv.stride[0] > 1 and conv.padding == (0, 0)
    return strided and conv.in_channels // conv.groups < _WIDEST_BLOCK


class _Subsample:
    """Keeps every ``stride``-th row and column of a module's input."""

    def __init__(self, stride: int) -> None:
        self._stride = stride

    def __call__(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the replaced inputs, as a forward pre-hook must."""
        return (inputs[0][:, :, :: self._stride, :: self._stride],)
