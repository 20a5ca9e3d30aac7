"""How many images a deletion study evaluates at once within the memory that its file allows."""

from collections.abc import Mapping, Sequence

from nasablate.blueprint import Blueprint
from nasablate.errors import Problem, SpecError
from nasablate.genome import DeletionSpec
from nasablate.search.deletion_cases import Questions
from nasablate.search.deletion_networks import StudiedNetwork
from nasablate.training.deletion.chains import Chain
from nasablate.training.deletion.memory import needed_bytes
from nasablate.training.deletion.tree import grow

MOST_BATCH = 256
"""More images at once make nothing faster."""


def images_at_once(
    memory: int, name: str, blueprint: Blueprint, chains: Sequence[Chain]
) -> tuple[int, int]:
    """Return the images of a batch on a CPU, and the bytes that their activations take.

    Raises:
        SpecError: not even one image fits.
    """
    least = needed_bytes(blueprint, grow(chains), 1, "depth")
    if least > memory:
        rule = f"one image in network {name!r} needs {least:,} bytes of activations"
        remedy = f"allow at least {-(-least // 2**20)}MiB"
        raise SpecError(Problem("memory", memory, rule, remedy, loc=("memory",)))
    batch = min(MOST_BATCH, memory // least)
    return batch, batch * least


def check_memory(
    spec: DeletionSpec, networks: Sequence[StudiedNetwork], asked: Mapping[str, Questions]
) -> None:
    """Refuse a study of which one network cannot be evaluated, before anything is trained.

    Raises:
        SpecError: the file's ``memory`` is too small.
    """
    for network in networks:
        chains = list(dict.fromkeys(one.chain for one in asked[network.name].deletions))
        images_at_once(spec.memory, network.name, network.blueprint, chains)
