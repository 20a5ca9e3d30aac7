"""Architecture search and ablation studies of convolutional networks.

    from nasablate import build, cost, lower, load_genome

Public names load on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nasablate.blueprint import cost, describe, lower
    from nasablate.genome import Genome, load_genome
    from nasablate.nets import build
    from nasablate.nets.network_file import load_network

__version__ = "0.1.0.dev0"

__all__ = [
    "Genome",
    "__version__",
    "build",
    "cost",
    "describe",
    "load_genome",
    "load_network",
    "lower",
]

_HOMES = {
    "Genome": "nasablate.genome",
    "build": "nasablate.nets",
    "cost": "nasablate.blueprint",
    "describe": "nasablate.blueprint",
    "load_genome": "nasablate.genome",
    "load_network": "nasablate.nets.network_file",
    "lower": "nasablate.blueprint",
}


def __getattr__(name: str) -> object:
    """Import a public name from its home."""
    if name not in _HOMES:
        message = f"module 'nasablate' has no attribute '{name}'; it has {', '.join(__all__)}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
