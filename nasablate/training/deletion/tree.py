"""Chains as a tree of common beginnings, and the order in which a walk runs it. No torch.

Two chains share everything up to their first difference, so every distinct beginning is run once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from nasablate.blueprint.blueprint import Blueprint
from nasablate.training.deletion.chains import Chain, Step
from nasablate.training.deletion.surgery import without_branch


@dataclass(slots=True, eq=False)
class Node:
    """A beginning of one or several chains."""

    step: Step | None = None
    """The last step of the beginning; None for the empty one."""
    children: dict[Step, "Node"] = field(default_factory=dict[Step, "Node"])
    chains: list[int] = field(default_factory=list[int])
    """The chains that end here."""


def grow(chains: Sequence[Chain]) -> Node:
    """Return the tree of all chains."""
    root = Node()
    for number, chain in enumerate(chains):
        node = root
        for step in chain:
            node = node.children.setdefault(step, Node(step))
        node.chains.append(number)
    return root


def levels(root: Node) -> list[list[Node]]:
    """Return the nodes by their number of steps."""
    found = [[root]]
    while nodes := [child for node in found[-1] for child in node.children.values()]:
        found.append(nodes)
    return found


@dataclass(frozen=True, slots=True)
class Work:
    """What evaluating chains costs for one image."""

    branch_runs: int
    """Units run with their branch."""
    shortcut_runs: int
    """Units run without it."""
    macs: int
    """Multiply-adds of everything, stem and heads included."""


def shared_work(blueprint: Blueprint, chains: Sequence[Chain]) -> Work:
    """Return the work when every distinct beginning is run once.

    Example:
        >>> from nasablate.blueprint import lower
        >>> from nasablate.genome import load_genome
        >>> from nasablate.training.deletion.cases import single_deletions
        >>> blueprint = lower(load_genome("resnet-110"))
        >>> chains = [case.chain for case in single_deletions(blueprint)]
        >>> work = shared_work(blueprint, chains)
        >>> work.branch_runs == 53 * 54 // 2 + 53, work.shortcut_runs
        (True, 54)
        >>> round(naive_work(blueprint, chains).macs / work.macs, 2)
        1.93
    """
    nodes = [node for level in levels(grow(chains)) for node in level]
    steps = [node.step for node in nodes if node.step is not None]
    ends = sum(bool(node.chains) for node in nodes)
    return _work(blueprint, steps, stems=1, heads=ends)


def naive_work(blueprint: Blueprint, chains: Sequence[Chain]) -> Work:
    """Return the work when every chain is a pass of its own."""
    steps = [step for chain in chains for step in chain]
    return _work(blueprint, steps, stems=len(chains), heads=len(chains))


def _work(blueprint: Blueprint, steps: list[Step], stems: int, heads: int) -> Work:
    without = sum(step.branch == 0 for step in steps)
    fragments = [part.fragment for part in blueprint.parts]
    macs = stems * fragments[0].cost.macs + heads * fragments[-1].cost.macs
    for step in steps:
        fragment = fragments[step.unit]
        macs += (without_branch(fragment) if step.branch == 0 else fragment).cost.macs
    return Work(len(steps) - without, without, macs)


@dataclass(frozen=True, slots=True)
class Run:
    """Run a unit on one activation and keep the result as another."""

    step: Step
    source: int
    target: int
    last: bool
    """Whether nothing else needs the source."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Run the head on an activation; its logits are those of ``chains``."""

    source: int
    chains: tuple[int, ...]
    last: bool
    """Whether nothing else needs the source."""


Instruction = Run | Finish


def walk(root: Node, needs: dict[Node, int]) -> list[Instruction]:
    """Return the instructions of a depth-first walk; activation 0 is the stem's result.

    Args:
        root: The tree.
        needs: What the subtree of each node needs (``memory.subtree_needs``): the child that
            needs most comes last, when its parent's activation can be given up.
    """
    instructions: list[Instruction] = []
    free = 1
    stack: list[tuple[Node, Step | None, int, int, bool]] = [(root, None, 0, 0, False)]
    while stack:
        node, step, source, target, last = stack.pop()
        if step is not None:
            instructions.append(Run(step, source, target, last))
        children = sorted(node.children.values(), key=lambda child: needs[child])
        if node.chains:
            instructions.append(Finish(target, tuple(node.chains), not children))
        for index, child in reversed(list(enumerate(children))):
            stack.append((child, child.step, target, free, index == len(children) - 1))
            free += 1
    return instructions
