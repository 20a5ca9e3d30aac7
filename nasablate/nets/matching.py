"""Fits the tensors of a file to a network: what matches, and a list of what does not."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import torch
from torch import Tensor

from nasablate.blueprint import lower
from nasablate.blueprint.blueprint import Blueprint
from nasablate.errors import NOT_GIVEN, Problem, SpecError
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import InitRule
from nasablate.nets.build import Net, build
from nasablate.nets.initialize import initialize
from nasablate.nets.other_names import LAYOUTS, our_names
from nasablate.nets.weight_files import WeightFile

SHOWN = 20
"""Most names that one message lists."""
_COUNTER = "num_batches_tracked"
"""Of normalisations; older files lack it, and with a fixed momentum nothing reads it."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Mismatch:
    """A name under which file and network differ."""

    name: str
    """What the file calls it; for what the file lacks, what it is called here."""
    rule: str
    ours: str = ""
    """What it is called here, or would be."""


@dataclass(frozen=True)
class Match:
    """The part of a file that fits a network."""

    layout: str
    """Name of the layout by which the file's names were read."""
    tensors: Mapping[str, Tensor]
    """By our names, in the network's shapes and types."""
    missing: tuple[Mismatch, ...]
    unknown: tuple[Mismatch, ...]
    misshapen: tuple[Mismatch, ...]

    @property
    def mismatches(self) -> tuple[Mismatch, ...]:
        """Everything that does not fit."""
        return (*self.missing, *self.misshapen, *self.unknown)


def wanted_tensors(blueprint: Blueprint) -> dict[str, Tensor]:
    """Return the network's parameters and statistics by name, without their values."""
    with torch.device("meta"):
        return dict(build(blueprint).state_dict())


def match(
    file: WeightFile,
    blueprint: Blueprint,
    layout: str | None = None,
    only: Collection[str] = (),
) -> Match:
    """Fit a file to a network.

    Args:
        file: The weights.
        blueprint: The network.
        layout: One of ``LAYOUTS``; None takes the one under which most fits.
        only: Patterns of our names (``stages.0.*``); other tensors of the file are passed over.
            Empty takes all.

    Raises:
        SpecError: nothing in the file fits the network.
    """
    wanted = wanted_tensors(blueprint)
    names = list(LAYOUTS) if layout is None else [layout]
    found = [_match(file, blueprint, name, wanted, only) for name in names]
    best = max(found, key=lambda match: (len(match.tensors), -len(match.mismatches)))
    if not best.tensors:
        rule = _nothing_fits(file.tensors, wanted)
        remedy = "name the network that the file was made for"
        raise SpecError(Problem("", NOT_GIVEN, rule, remedy, where=str(file.path)))
    return best


def check_whole(found: Match, path: Path, remedy: str) -> None:
    """Refuse a file that does not give every weight of the network, or gives others too.

    Raises:
        SpecError: one problem for each name, up to 20, and one with their number.
    """
    mismatches = found.mismatches
    if not mismatches:
        return
    shown = mismatches[:SHOWN]
    problems = [Problem(one.name, NOT_GIVEN, one.rule, where=str(path)) for one in shown]
    rest = len(mismatches) - len(shown)
    rule = f"{len(mismatches)} names do not match" + (f", {rest} more than shown" if rest else "")
    problems.append(Problem("", NOT_GIVEN, rule, remedy, where=str(path)))
    raise SpecError(problems)


def _match(
    file: WeightFile,
    blueprint: Blueprint,
    layout: str,
    wanted: Mapping[str, Tensor],
    only: Collection[str],
) -> Match:
    names = our_names(file.tensors, LAYOUTS[layout](blueprint), wanted)
    tensors: dict[str, Tensor] = {}
    unknown: list[Mismatch] = []
    misshapen: list[Mismatch] = []
    for theirs, ours in names.items():
        value = file.tensors[theirs]
        if not _chosen(ours, only):
            continue
        if ours not in wanted or ours in tensors:
            rule = "named twice" if ours in tensors else "the network has no such weights"
            unknown.append(Mismatch(theirs, f"{rule} (shape {shape_text(value)})", ours))
        elif (fitted := fit(value, wanted[ours])) is None:
            rule = f"has shape {shape_text(value)}, {ours} has {shape_text(wanted[ours])}"
            misshapen.append(Mismatch(theirs, rule, ours))
        else:
            tensors[ours] = fitted
    tensors |= _counters(wanted, tensors)
    given = {*tensors, *(one.ours for one in misshapen)}
    missing = tuple(_missing(wanted, given, only))
    return Match(layout, tensors, missing, tuple(unknown), tuple(misshapen))


def fit(value: Tensor, wanted: Tensor) -> Tensor | None:
    """Return a tensor in the shape and type that the network has; None if it cannot be.

    A linear layer may stand for a convolution over the whole map, and the other way round.
    """
    if value.is_floating_point() != wanted.is_floating_point():
        return None
    if value.shape != wanted.shape:
        dense = 2 in {value.dim(), wanted.dim()} and min(value.dim(), wanted.dim()) == 2
        if not dense or value.flatten(1).shape != wanted.flatten(1).shape:
            return None
    return value.reshape(wanted.shape).to(wanted.dtype).contiguous()


def shape_text(value: Tensor) -> str:
    """Return a shape as text.

    >>> shape_text(torch.zeros(64, 3, 7, 7)), shape_text(torch.zeros(()))
    ('64 x 3 x 7 x 7', 'one number')
    """
    return " x ".join(map(str, value.shape)) or "one number"


def _counters(
    wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> Iterable[tuple[str, Tensor]]:
    """Return the counters of batches that the file lacks, of normalisations that it has."""
    for name, value in wanted.items():
        path, _, role = name.rpartition(".")
        if role == _COUNTER and name not in given and f"{path}.running_mean" in given:
            yield name, torch.zeros(value.shape, dtype=value.dtype)


def _missing(
    wanted: Mapping[str, Tensor], given: Collection[str], only: Collection[str]
) -> Iterator[Mismatch]:
    for name, value in wanted.items():
        if name not in given:
            rule = f"the file has no such weights (shape {shape_text(value)})"
            yield Mismatch(name, rule if _chosen(name, only) else "not asked for", name)


def _chosen(name: str, only: Collection[str]) -> bool:
    return not only or any(fnmatchcase(name, pattern) for pattern in only)


def _nothing_fits(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    theirs, ours = next(iter(given)), next(iter(wanted), "nothing")
    return (
        f"none of its {len(given)} tensors fits the network: its first is {theirs!r}"
        f" ({shape_text(given[theirs])}), the network's first is {ours!r}"
    )


def completed(genome: Genome, found: Match, rule: InitRule, seed: int) -> Net:
    """Return a network with the weights of a match, and initial ones for what it lacks."""
    net = build(lower(genome))
    initialize(net, rule, seed)
    state: dict[str, Tensor] = net.state_dict()
    net.load_state_dict({**state, **found.tensors})
    return net.eval()
