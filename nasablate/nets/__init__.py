"""Blueprint -> ``torch.nn.Module``: the reader of a blueprint that needs torch."""

from nasablate.nets.build import Net, UnitNet, build
from nasablate.nets.initialize import InitRule, initialize

__all__ = ["InitRule", "Net", "UnitNet", "build", "initialize"]
