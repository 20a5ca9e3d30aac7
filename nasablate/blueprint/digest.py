"""Structural digests: two genomes with the same digest are the same network."""

import hashlib

from nasablate.blueprint.blueprint import Blueprint, Fragment
from nasablate.blueprint.layer import IMAGE, Layer
from nasablate.blueprint.ops import Act, Add, Concat, Pool, RadixSum, Slice

_IDEMPOTENT = {"relu", "relu6"}


def digest(blueprint: Blueprint) -> str:
    """Return a hash of what the network computes, independent of names and units.

    A Merkle hash over the layers that reach an output. The order of an addition's inputs,
    a repeated ReLU and operations that change nothing leave no trace.
    """
    source, function = _hash("image", *map(str, blueprint.input)), ""
    results: list[tuple[str, str]] = []
    for part in blueprint.parts:
        source, function = _through(part.fragment, source, function)
        results.append((source, function))
    extra = [
        _hash(str(head.weight), _through(head.part.fragment, *results[head.after])[0])
        for head in blueprint.auxiliary
    ]
    return _hash("network", source, *sorted(extra))


def _through(fragment: Fragment, source: str, function: str) -> tuple[str, str]:
    """Return the hash of a unit's result, and the activation it ends in, if any."""
    hashes, functions = {IMAGE: source}, {IMAGE: function}
    for index, layer in enumerate(fragment.layers):
        if index not in fragment.live:
            continue
        sources = [hashes[place] for place in layer.inputs]
        before = functions.get(layer.inputs[0], "")
        if _changes_nothing(layer, before, fragment):
            hashes[index], functions[index] = sources[0], before
            continue
        if isinstance(layer.op, Add):
            sources.sort()
        hashes[index] = _hash(fragment.op_texts[index], *sources)
        if isinstance(layer.op, Act):
            functions[index] = layer.op.function
    return hashes[fragment.output], functions.get(fragment.output, "")


def _changes_nothing(layer: Layer, function: str, fragment: Fragment) -> bool:
    match layer.op:
        case Act(function=own):
            return own == function and own in _IDEMPOTENT
        case Pool(kernel=1, stride=1) | RadixSum(radix=1):
            return True
        case Slice(start=0, stop=stop):
            before = layer.inputs[0]
            shape = fragment.input if before == IMAGE else fragment.layers[before].shape
            return stop == shape[0]
        case Concat():
            return len(layer.inputs) == 1
        case _:
            return False


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()
