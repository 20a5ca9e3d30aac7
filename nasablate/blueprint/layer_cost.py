"""What layers cost, in plain integers."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from nasablate.blueprint.layer import Layer
from nasablate.blueprint.ops import Conv, Custom, Linear, Norm, pair

FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a network for one image; all counts are exact."""

    params: int
    """Trainable numbers: weights, biases, normalisation scales and shifts."""
    norm_params: int
    """The part of ``params`` in normalisations, which some papers leave out."""
    macs: int
    """Multiply-adds of convolutions and linear layers, and of nothing else."""
    activations: int
    """Output elements of all layers."""
    conv_activations: int
    """Output elements of convolutions and linear layers (arXiv 2003.13678)."""
    auxiliary_params: int = 0
    """The part of ``params`` in auxiliary classifiers, which are left out at inference."""
    auxiliary_macs: int = 0
    """Multiply-adds of auxiliary classifiers, in training only and no part of ``macs``."""

    @property
    def flops(self) -> int:
        """Return 2 * macs."""
        return 2 * self.macs

    @property
    def activation_bytes(self) -> int:
        """Return the bytes of all layers' outputs in float32."""
        return FLOAT_BYTES * self.activations

    def document(self) -> dict[str, int]:
        """Return all counts as plain data."""
        return {
            "params": self.params,
            "norm_params": self.norm_params,
            "macs": self.macs,
            "flops": self.flops,
            "activations": self.activations,
            "conv_activations": self.conv_activations,
            "activation_bytes": self.activation_bytes,
            "auxiliary_params": self.auxiliary_params,
            "auxiliary_macs": self.auxiliary_macs,
        }


def layers_cost(layers: Iterable[Layer]) -> Cost:
    """Return the summed cost of some layers."""
    params = norm_params = macs = activations = conv_activations = 0
    for layer in layers:
        op, elements = layer.op, prod(layer.shape)
        numbers = layer_params(layer)
        params += numbers
        macs += layer_macs(layer)
        match op:
            case Norm():
                norm_params += numbers
            case Conv() | Linear():
                conv_activations += elements
            case Custom():
                norm_params += op.norm_params
                conv_activations += op.conv_activations
                elements = op.activations
            case _:
                pass
        activations += elements
    return Cost(params, norm_params, macs, activations, conv_activations)


def layer_params(layer: Layer) -> int:
    """Return the number of trainable parameters of a layer."""
    match layer.op:
        case Conv() as conv:
            weights = conv.outputs * (conv.inputs // conv.groups) * prod(pair(conv.kernel))
            return weights + (conv.outputs if conv.bias else 0)
        case Linear() as linear:
            return (linear.inputs + 1) * linear.outputs
        case Norm() as norm:
            return 2 * norm.channels
        case Custom() as custom:
            return custom.params
        case _:
            return 0


def layer_macs(layer: Layer) -> int:
    """Return the multiply-adds of a layer for one image."""
    match layer.op:
        case Conv() as conv:
            return prod(layer.shape) * (conv.inputs // conv.groups) * prod(pair(conv.kernel))
        case Linear() as linear:
            return linear.inputs * linear.outputs
        case Custom() as custom:
            return custom.macs
        case _:
            return 0
