"""A network in one file: safetensors with its weights, and its genome in the metadata."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from nasablate.blueprint import digest, lower
from nasablate.errors import Problem, SpecError
from nasablate.genome.genome import Genome
from nasablate.nets.build import Net, build
from nasablate.nets.matching import check_whole, match
from nasablate.nets.weight_files import WeightFile, read_weights, refusal

GENOME = "genome"
DIGEST = "network_digest"
_REMEDY = "write the file again with 'nasablate export'"


def network_texts(genome: Genome) -> dict[str, str]:
    """Return what is written beside weights so that they give the network back."""
    return {GENOME: genome.canonical_json(), DIGEST: digest(lower(genome))}


def save_network(path: Path, genome: Genome, weights: Mapping[str, Tensor]) -> None:
    """Write a network to a safetensors file.

    Args:
        path: Where to; readers may see half of it, so callers write elsewhere and rename.
        genome: The network.
        weights: Its state dict.

    Raises:
        OSError: the file cannot be written.
    """
    # safetensors refuses tensors that share memory or are not dense
    tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    # its own writer of files gives them to their owner alone
    path.write_bytes(save(tensors, metadata={"format": "pt", **network_texts(genome)}))


def load_network(path: str | Path) -> Net:
    """Return the network of a file that ``nasablate export`` wrote, in evaluation mode.

    Nothing in the file is run. A unit of the user's own needs permission, as everywhere.

    Raises:
        SpecError: the file is damaged, holds no genome, or its weights are of another network.

    Example:
        >>> import nasablate
        >>> net = nasablate.load_network("resnet-20.safetensors")  # doctest: +SKIP
        >>> net.blueprint.output  # doctest: +SKIP
        (10,)
    """
    file = read_weights(Path(path))
    genome = genome_of(file)
    blueprint = lower(genome)
    if file.texts.get(DIGEST) != digest(blueprint):
        rule = "its genome is not the one that it was written with, or its unit's code has changed"
        raise SpecError(Problem(DIGEST, file.texts.get(DIGEST, ""), rule, _REMEDY, where=str(path)))
    return with_weights(genome, file)


def with_weights(genome: Genome, file: WeightFile) -> Net:
    """Return the network of a genome with the weights of a file, in evaluation mode.

    Raises:
        SpecError: the file has not all of its weights, or others too; the message lists them.
    """
    blueprint = lower(genome)
    found = match(file, blueprint, layout="nasablate")
    remedy = "use the genome that it was trained with, or 'nasablate import-weights' first"
    check_whole(found, file.path, remedy)
    net = build(blueprint)
    net.load_state_dict(dict(found.tensors))
    return net.eval()


def genome_of(file: WeightFile) -> Genome:
    """Return the genome in a file's metadata.

    Raises:
        SpecError: there is none, or it breaks a rule.
    """
    text = file.texts.get(GENOME)
    if text is None:
        remedy = "name its genome: 'nasablate import-weights GENOME FILE' writes such a file"
        raise refusal(file.path, "holds weights but no genome", remedy)
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise refusal(file.path, "its genome is no JSON", _REMEDY) from None
    if not isinstance(document, dict):
        raise refusal(file.path, "its genome is no JSON object", _REMEDY)
    try:
        return Genome.parse(document)  # pyright: ignore[reportUnknownArgumentType]
    except SpecError as error:
        problems = [
            Problem(f"{GENOME}.{one.path}", one.value, one.rule, one.remedy, where=str(file.path))
            for one in error.problems
        ]
        raise SpecError(problems) from None


def state_of(net: nn.Module) -> dict[str, Tensor]:
    """Return a network's parameters and statistics, detached, on the CPU."""
    state: dict[str, Tensor] = net.state_dict()
    return {name: torch.as_tensor(value).detach().cpu() for name, value in state.items()}
