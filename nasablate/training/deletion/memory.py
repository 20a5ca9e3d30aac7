"""How much memory activations take, and the largest image batch that fits. No torch.

Counted are activations in float32 with everything alive at the same time, and for each layer a
scratch copy of its largest operand, which libraries take to change a tensor's memory format.
Weights, images and results are not counted.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Literal, assert_never

from nasablate.blueprint.blueprint import Blueprint, Fragment
from nasablate.blueprint.layer import IMAGE
from nasablate.errors import InputError
from nasablate.training.deletion.chains import Chain, Step
from nasablate.training.deletion.surgery import without_branch
from nasablate.training.deletion.tree import Node, grow, levels

Form = Literal["depth", "growing"]
"""``depth``: one beginning after the other, bit-equal to separate passes. ``growing``: all
beginnings of one length in one growing batch, for devices that are slow with small ones."""

MOST_BATCH = 4096
KERNEL_IMAGES = 4096
"""Images that the growing form runs through a unit at once."""
_FLOAT = 4


def largest_batch(
    blueprint: Blueprint, chains: Sequence[Chain], memory_bytes: int, form: Form = "depth"
) -> int:
    """Return the most images per batch, at most 4096, whose activations fit into memory.

    Raises:
        InputError: not even one image fits.
    """
    root = grow(chains)
    least = needed_bytes(blueprint, root, 1, form)
    if least > memory_bytes:
        message = (
            f"memory = {memory_bytes:,} bytes: one image under {len(chains):,} deletions needs"
            f" {least:,}; allow at least {-(-least // 2**20)}MiB"
        )
        raise InputError(message)
    if form == "depth":  # where twice the images need twice the memory
        return min(MOST_BATCH, memory_bytes // least)
    low, high = 1, MOST_BATCH
    while low < high:
        middle = (low + high + 1) // 2
        fits = needed_bytes(blueprint, root, middle, form) <= memory_bytes
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def needed_bytes(blueprint: Blueprint, root: Node, batch: int, form: Form) -> int:
    """Return the bytes that a batch of images needs at its worst moment."""
    match form:
        case "depth":
            fragments = [part.fragment for part in blueprint.parts]
            stem = peak_elements(fragments[0])
            return _FLOAT * batch * max(stem, subtree_needs(blueprint, root)[root])
        case "growing":
            return _FLOAT * _growing_elements(blueprint, root, batch)
        case _:
            assert_never(form)


def subtree_needs(blueprint: Blueprint, root: Node) -> dict[Node, int]:
    """Return what every node's subtree needs for one image, in elements, its activation included.

    All children but the last run while their parent's activation is kept.
    """
    needs: dict[Node, int] = {}
    head = peak_elements(blueprint.parts[-1].fragment)
    for level in reversed(levels(root)):
        for node in level:
            own = _output_elements(blueprint, node.step)
            children = sorted(node.children.values(), key=lambda child: needs[child])
            worst = [own, head if node.chains else 0]
            for child in children:
                assert child.step is not None
                kept = 0 if child is children[-1] else own
                worst += [step_elements(blueprint, child.step), kept + needs[child]]
            needs[node] = max(worst)
    return needs


def step_elements(blueprint: Blueprint, step: Step) -> int:
    """Return the elements alive at the worst moment of a step for one image, input included."""
    fragment = blueprint.parts[step.unit].fragment
    return peak_elements(without_branch(fragment) if step.branch == 0 else fragment)


@lru_cache(maxsize=4096)
def peak_elements(fragment: Fragment) -> int:
    """Return the elements alive at the worst moment of a unit for one image, input included."""
    layers = fragment.layers
    last = {i: output for output, layer in enumerate(layers) for i in layer.inputs}
    last[fragment.output] = len(layers)
    sizes = {IMAGE: prod(fragment.input)}
    alive = {IMAGE}
    worst = sizes[IMAGE]
    for output, layer in enumerate(layers):
        sizes[output] = prod(layer.shape)
        alive.add(output)
        scratch = max(sizes[index] for index in (output, *layer.inputs))
        worst = max(worst, sum(sizes[index] for index in alive) + scratch)
        # the unit's caller holds its input until it ends
        alive = {index for index in alive if index == IMAGE or last.get(index, -1) > output}
    return worst


def _growing_elements(blueprint: Blueprint, root: Node, batch: int) -> int:
    found = levels(root)
    held = [sum(_output_elements(blueprint, node.step) for node in level) for level in found]
    worst = batch * peak_elements(blueprint.parts[0].fragment)
    head = peak_elements(blueprint.parts[-1].fragment)
    for depth, level in enumerate(found):
        widths: dict[Step, int] = {}
        for node in level:
            for step in node.children:
                widths[step] = widths.get(step, 0) + 1
        following = held[depth + 1] if depth + 1 < len(found) else 0
        running = [_at_once(width, batch) * step_elements(blueprint, step)
                   for step, width in widths.items()]  # fmt: skip
        ends = sum(bool(node.chains) for node in level)
        running.append(_at_once(ends, batch) * head)
        worst = max(worst, batch * (held[depth] + following) + max(running))
    return worst


def _at_once(slabs: int, batch: int) -> int:
    """Return how many images of ``slabs`` batches, or of smaller ones, run together at most."""
    return min(slabs * batch, max(batch, KERNEL_IMAGES))


def slabs_at_once(batch: int) -> int:
    """Return how many batches of images the growing form runs together."""
    return max(1, KERNEL_IMAGES // batch)


def _output_elements(blueprint: Blueprint, step: Step | None) -> int:
    unit = 0 if step is None else step.unit
    return prod(blueprint.parts[unit].fragment.output_shape)
