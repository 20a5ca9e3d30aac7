"""A unit's layers once its residual branch is gone. No torch."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache

from nasablate.blueprint.blueprint import Fragment
from nasablate.blueprint.layer import IMAGE, Layer
from nasablate.training.deletion.candidates import has_branch


@lru_cache(maxsize=4096)
def without_branch(fragment: Fragment) -> Fragment:
    """Return the unit with its shortcut in place of the addition, and only layers still needed.

    Layers keep their names, order and operations. A plain unit becomes the empty span.
    """
    if not has_branch(fragment):
        assert fragment.input == fragment.output_shape
        return replace(fragment, layers=(), output=IMAGE, branch=None, shortcut=None, merge=None)
    assert fragment.shortcut is not None
    merge, shortcut = fragment.merge, fragment.shortcut

    def rewired(index: int) -> int:
        return shortcut if index == merge else index

    output = rewired(fragment.output)
    layers = fragment.layers
    kept = sorted(_needed(layers, output, rewired))
    place = {IMAGE: IMAGE} | {old: new for new, old in enumerate(kept)}

    def moved(indices: Iterable[int]) -> tuple[int, ...]:
        return tuple(place[rewired(index)] for index in indices)

    return replace(
        fragment,
        layers=tuple(replace(layers[old], inputs=moved(layers[old].inputs)) for old in kept),
        output=place[output],
        branch=None,
        shortcut=None,
        merge=None,
    )


def _needed(layers: tuple[Layer, ...], output: int, rewired: Callable[[int], int]) -> set[int]:
    needed: set[int] = set()
    pending = [output]
    while pending:
        index = pending.pop()
        if index != IMAGE and index not in needed:
            needed.add(index)
            pending += [rewired(source) for source in layers[index].inputs]
    return needed
