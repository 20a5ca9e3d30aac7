"""Blueprint -> ``torch.nn.Module``: the reader of a blueprint that needs torch."""

from nasablate.nets.build import Net, UnitNet, build
from nasablate.nets.initialize import initialize
from nasablate.nets.last_norm import zero_last_norms

__all__ = ["Net", "UnitNet", "build", "initialize", "zero_last_norms"]
