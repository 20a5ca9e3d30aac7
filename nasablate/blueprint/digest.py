"""Structural digests: two genomes with the same digest are the same network."""

import hashlib

from nasablate.blueprint.blueprint import IMAGE, Blueprint, Layer
from nasablate.blueprint.ops import Act, Add, Pool, RadixSum

_IDEMPOTENT = {"relu", "relu6"}


def digest(blueprint: Blueprint) -> str:
    """Return a hash of what the network computes, independent of names and units.

    A Merkle hash over the layers that reach an output. The order of an addition's inputs,
    a repeated ReLU and operations that change nothing leave no trace.
    """
    hashes: dict[int, str] = {IMAGE: _hash("image", *map(str, blueprint.input))}
    functions: dict[int, str] = {}
    live = live_layers(blueprint)
    for index, layer in enumerate(blueprint.layers):
        if index not in live:
            continue
        sources = [hashes[source] for source in layer.inputs]
        function = functions.get(layer.inputs[0], "")
        if _changes_nothing(layer, function):
            hashes[index] = sources[0]
            functions[index] = function
            continue
        if isinstance(layer.op, Add):
            sources.sort()
        hashes[index] = _hash(repr(layer.op), *sources)
        functions[index] = layer.op.function if isinstance(layer.op, Act) else ""
    return _hash("network", *(hashes[output] for output in blueprint.outputs))


def live_layers(blueprint: Blueprint) -> set[int]:
    """Return the indices of all layers that some output depends on."""
    live: set[int] = set()
    pending = [index for index in blueprint.outputs if index != IMAGE]
    while pending:
        index = pending.pop()
        if index not in live:
            live.add(index)
            pending += [s for s in blueprint.layers[index].inputs if s != IMAGE]
    return live


def _changes_nothing(layer: Layer, function: str) -> bool:
    match layer.op:
        case Act(function=own):
            return own == function and own in _IDEMPOTENT
        case Pool(kernel=1, stride=1):
            return True
        case RadixSum(radix=1):
            return True
        case _:
            return False


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
