"""Evaluates many chains over one trained network on the same images.

Image batches are the outer loop and chains the inner one, so that only activations of one batch
are kept. Every distinct beginning of the chains is run once: deleting each of L units costs one
pass and L suffixes, about half of L passes.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, assert_never

import torch
from torch import Tensor

from nasablate.nets import Net
from nasablate.training.deletion.chains import Chain, check_chains
from nasablate.training.deletion.memory import Form, slabs_at_once, subtree_needs
from nasablate.training.deletion.results import ChainResults, Collector
from nasablate.training.deletion.running import Units
from nasablate.training.deletion.tree import Finish, Instruction, Node, Run, grow, levels, walk

_T = TypeVar("_T")

Batches = Iterable[tuple[Tensor, Tensor]]
"""Normalised float32 images [B, C, H, W] and int64 labels [B], on the network's device."""
Progress = Callable[[int], None]
"""Called with the number of images done after every batch."""


def evaluate_chains(
    net: Net,
    chains: Sequence[Chain],
    batches: Batches,
    *,
    form: Form | None = None,
    keep_logits: bool = False,
    progress: Progress | None = None,
) -> ChainResults:
    """Return what every chain predicts for every image, in the order of ``batches``.

    On a CPU the logits of the form ``depth`` are those of ``evaluate_naively`` bit for bit for the
    same batches. ``net`` is left in evaluation mode.

    Args:
        net: The trained network.
        chains: What to run; see ``cases`` for the usual ones.
        batches: As ``data.batches.eval_batches`` gives them; ``memory.largest_batch`` says how
            large they may be.
        form: ``growing`` on CUDA devices and ``depth`` elsewhere if not given.
        keep_logits: Whether results hold the logits too.
        progress: Called after every batch.

    Raises:
        InputError: there is no chain or no image, or a chain cannot be run.
    """
    check_chains(net.blueprint, chains)
    net.eval()
    root, units = grow(chains), Units(net)
    chosen = form or ("growing" if next(net.parameters()).is_cuda else "depth")
    instructions = walk(root, subtree_needs(net.blueprint, root)) if chosen == "depth" else []
    collector = Collector(len(chains), keep_logits=keep_logits)
    with torch.inference_mode():
        for images, labels in batches:
            collector.start(labels)
            match chosen:
                case "depth":
                    _go_deep(units, instructions, images, collector)
                case "growing":
                    _go_wide(units, root, images, collector)
                case _:
                    assert_never(chosen)
            if progress is not None:
                progress(collector.num_images)
    return collector.results()


def evaluate_naively(
    net: Net, chains: Sequence[Chain], batches: Batches, *, keep_logits: bool = False
) -> ChainResults:
    """Return the same as ``evaluate_chains``, one whole pass per chain and batch.

    Raises:
        InputError: there is no chain or no image, or a chain cannot be run.
    """
    check_chains(net.blueprint, chains)
    net.eval()
    units = Units(net)
    collector = Collector(len(chains), keep_logits=keep_logits)
    with torch.inference_mode():
        for images, labels in batches:
            collector.start(labels)
            for number, chain in enumerate(chains):
                x = units.stem(images)
                for step in chain:
                    x = units.run(step, x)
                collector.add((number,), units.head(x))
    return collector.results()


def _go_deep(
    units: Units, instructions: list[Instruction], images: Tensor, collector: Collector
) -> None:
    kept = {0: units.stem(images)}
    for instruction in instructions:
        source = instruction.source
        x = kept.pop(source) if instruction.last else kept[source]
        match instruction:
            case Run():
                kept[instruction.target] = units.run(instruction.step, x)
            case Finish():
                collector.add(instruction.chains, units.head(x))
            case _:
                assert_never(instruction)
        del x


def _go_wide(units: Units, root: Node, images: Tensor, collector: Collector) -> None:
    """Run all beginnings of one length together, those with the same step in one batch."""
    batch = len(images)
    values = {root: units.stem(images)}
    for level in levels(root):
        _finish(units, [node for node in level if node.chains], values, batch, collector)
        values = _next_level(units, level, values, batch)


def _next_level(
    units: Units, level: list[Node], values: dict[Node, Tensor], batch: int
) -> dict[Node, Tensor]:
    edges = [(node, child) for node in level for child in node.children.values()]
    by_step = {child.step: list[tuple[Node, Node]]() for _, child in edges}
    for node, child in edges:
        by_step[child.step].append((node, child))
    following: dict[Node, Tensor] = {}
    for step, members in by_step.items():
        assert step is not None
        for group in _groups(members, batch):
            results = units.run(step, _together([values[node] for node, _ in group]))
            children = [child for _, child in group]
            following |= zip(children, _apart(results, batch), strict=True)
    return following


def _finish(
    units: Units, nodes: list[Node], values: dict[Node, Tensor], batch: int, collector: Collector
) -> None:
    for group in _groups(nodes, batch):
        logits = units.head(_together([values[node] for node in group]))
        for node, part in zip(group, _apart(logits, batch), strict=True):
            collector.add(tuple(node.chains), part)


def _groups(members: list[_T], batch: int) -> Iterable[list[_T]]:
    size = slabs_at_once(batch)
    return (members[start : start + size] for start in range(0, len(members), size))


def _together(slabs: list[Tensor]) -> Tensor:
    return slabs[0] if len(slabs) == 1 else torch.cat(slabs)


def _apart(x: Tensor, batch: int) -> list[Tensor]:
    return [x[start : start + batch] for start in range(0, len(x), batch)]
