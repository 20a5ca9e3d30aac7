"""Random genomes of the whole space, small enough to build thousands of them.

Every field of every variant is drawn, so legal and illegal genomes come out; ``legal_networks``
keeps those that lower.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from benchmarks.random_plain_units import (
    random_auxiliary,
    random_plain_unit,
    random_response,
    random_stage,
)
from nasablate.blueprint import Blueprint, lower
from nasablate.errors import GenomeError
from nasablate.genome import Genome
from nasablate.genome.placement import PRESETS
from nasablate.genome.units import Activation

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Network:
    """A legal genome, its blueprint, and how many illegal ones were drawn before it."""

    genome: Genome
    blueprint: Blueprint
    refused: int


def legal_networks(seed: int, count: int) -> Iterator[Network]:
    """Yield ``count`` legal networks; the same ones for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    for _ in range(count):
        refused = 0
        while True:
            genome = random_genome(rng)
            try:
                blueprint = lower(genome)
            except GenomeError:
                refused += 1
                continue
            yield Network(genome, blueprint, refused)
            break


def random_genome(rng: random.Random) -> Genome:
    """Draw every field of a genome; it need not describe a legal network."""
    return Genome.parse(
        {
            "kind": "genome",
            "input": {
                "channels": rng.randint(1, 4),
                "height": rng.randint(6, 40),
                "width": rng.randint(6, 40),
            },
            "classes": rng.randint(1, 20),
            "stem": _stem(rng),
            "stages": [
                random_stage(rng, _unit(rng) if rng.random() < 0.3 else None)
                for _ in range(rng.randint(1, 4))
            ],
            "width": rng.randint(1, 24),
            "widening": _widening(rng),
            "unit": _unit(rng),
            "placement": _placement(rng),
            "shortcut": _shortcut(rng),
            "activation": rng.choice(get_args(Activation)),
            "se": _squeeze_excitation(rng) if rng.random() < 0.3 else None,
            "lrn": random_response(rng) if rng.random() < 0.2 else None,
            "dropout": rng.choice((0.0, 0.3)),
            "drop_path": {
                "final": rng.choice((0.0, 0.5)),
                "rule": rng.choice(("linear", "constant")),
                "per": rng.choice(("batch", "sample")),
                "rescale": rng.choice(("train", "test")),
            },
            "drop_block": {
                "p": rng.choice((0.0, 0.0, 0.1)),
                "size": rng.choice((1, 3, 7)),
                "per": rng.choice(("batch", "sample")),
                "stages": rng.choice((None, [0], [1, 2])),
            },
            "head": {
                "tail": _slot(rng),
                "penultimate": rng.choice((None, None, 13)),
                "pool": rng.choice(("gap", "gap", "flatten")),
                "hidden": [rng.randint(1, 32) for _ in range(rng.choice((0, 0, 1, 2)))],
                "dropout": rng.choice((0.0, 0.5)),
                "dropout_at": rng.choice(("linear", "hidden", "after_hidden")),
                "classifier": rng.choice(("linear", "linear", "conv")),
            },
            "auxiliary": random_auxiliary(rng),
            "norm": {"eps": rng.choice((1e-5, 1e-3)), "momentum": rng.choice((0.1, 0.01))},
            "conv_bias": rng.choice(("auto", "always")),
        }
    )


def _stem(rng: random.Random) -> Record:
    common: Record = {"width": rng.randint(1, 24), "post": _slot(rng)}
    kind = rng.choice(("conv3x3", "conv3x3", "conv7x7_pool", "deep", "none"))
    if kind == "none":
        return {"kind": kind}
    if kind == "conv3x3":
        return common | {"kind": kind, "stride": rng.choice((1, 2))}
    pool = {
        "kernel": rng.randint(1, 4),
        "stride": rng.randint(1, 3),
        "padding": rng.randint(0, 2),
        "ceil": rng.random() < 0.5,
    }
    common |= {"kind": kind, "pool": pool if rng.random() < 0.7 else None}
    mid = rng.choice((rng.randint(1, 16), [rng.randint(1, 16), rng.randint(1, 16)]))
    return common | ({"mid": mid, "between": _slot(rng)} if kind == "deep" else {})


def _widening(rng: random.Random) -> Record:
    common: Record = {
        "rounding": rng.choice(("half_up", "half_even", "floor")),
        "multiple_of": rng.choice((1, 1, 2, 8)),
        "multiplier": rng.choice((1.0, 1.0, 0.5, 1.3)),
    }
    first = rng.choice(("widened", "start"))
    draws: dict[str, Callable[[], Record]] = {
        "step": lambda: {"factor": rng.choice((0.5, 1.0, 1.5, 2.0))},
        "additive": lambda: {"alpha": rng.choice((0, 7, 24.5, 40)), "first": first},
        "multiplicative": lambda: {"alpha": rng.choice((0.7, 1, 2.5, 4.75)), "first": first},
        "explicit": lambda: {"widths": [rng.randint(1, 32) for _ in range(rng.randint(1, 5))]},
    }
    kind = rng.choice(list(draws))
    return common | {"kind": kind} | draws[kind]()


def _unit(rng: random.Random) -> Record:
    if rng.random() < 0.3:
        return random_plain_unit(rng)
    kind = rng.choice(("single", "basic", "bottleneck", "bottleneck", "res2net", "linear"))
    inner: Record = {
        "bottleneck_ratio": rng.choice((0.25, 0.3, 0.5, 1.0, 2.0)),
        "cardinality": rng.choice((1, 1, 2, 3, 8)),
        "base_width": rng.choice((None, None, 4, 40, 64)),
        "inner_rounding": rng.choice(("nearest", "nearest", "exact")),
    }
    match kind:
        case "bottleneck":
            return inner | {
                "kind": kind,
                "stride_at": rng.choice(("first", "spatial")),
                "first_ratio": rng.choice((1.0, 1.0, 0.5, 1.7)),
                "radix": rng.choice((0, 0, 1, 2, 3, 4)),
                "avd": rng.choice(("none", "before", "after")),
                "attention_floor": rng.choice((1, 8, 32)),
            }
        case "res2net":
            return inner | {
                "kind": kind,
                "res2net_scale": rng.choice((1, 2, 3, 4, 8)),
                "hierarchy_in_first": rng.random() < 0.5,
            }
        case "linear":
            return {
                "kind": "linear_bottleneck",
                "expansion": rng.choice((0.5, 1.0, 2.5, 6.0)),
                "first_expansion": rng.choice((1.0, 3.0)),
                "kernel": rng.choice((3, 5, 7)),
                "expand_activation": rng.choice(get_args(Activation)),
                "depthwise_activation": rng.choice(get_args(Activation)),
            }
        case _:
            return {"kind": kind}


def _placement(rng: random.Random) -> str | Record:
    if rng.random() < 0.3:
        return rng.choice(list(PRESETS))
    between = _slot(rng) if rng.random() < 0.5 else [_slot(rng), _slot(rng)]
    return {
        "pre": _slot(rng),
        "between": between,
        "post": _slot(rng),
        "merged": _slot(rng),
        "first_unit_pre": rng.random() < 0.7,
    }


def _slot(rng: random.Random) -> list[str]:
    return list(rng.choice(((), ("bn",), ("relu",), ("bn", "relu"), ("relu", "bn"))))


def _shortcut(rng: random.Random) -> Record:
    kind = rng.choice(
        ("identity", "zero_pad", "zero_pad", "projection", "projection", "partial", "none")
    )
    if kind == "none":
        return {"kind": kind}
    joined: Record = {
        "kind": kind,
        "scale": rng.choice((1.0, 1.0, 0.5, 0.0)),
        "branch_scale": rng.choice((1.0, 1.0, 0.5)),
        "gate": rng.choice(("none", "none", "none", "shortcut_only", "exclusive")),
        "gate_bias": rng.choice((0.0, -6.0)),
        "dropout": rng.choice((0.0, 0.0, 0.5)),
    }
    reads = rng.choice(("raw", "shape_change", "stage_first"))
    if kind == "zero_pad":
        joined |= {
            "reduce": rng.choice(("subsample", "avg_pool")),
            "pad_at": rng.choice(("end", "both")),
            "reads": reads,
        }
    if kind == "projection":
        joined |= {
            "when": rng.choice(("shape_change", "downsampling", "always")),
            "kernel": rng.choice((1, 1, 3)),
            "bn": rng.random() < 0.5,
            "reduce": rng.choice(("stride", "avg_pool")),
            "reads": reads,
        }
    return joined


def _squeeze_excitation(rng: random.Random) -> Record:
    return {
        "ratio": rng.choice((0.0625, 0.25, 1.5)),
        "position": rng.choice(("standard", "pre", "post", "identity", "inner")),
        "bias": rng.random() < 0.5,
        "bn": rng.random() < 0.3,
        "rounding": rng.choice(("half_up", "floor")),
        "multiple_of": rng.choice((1, 1, 8)),
        "stages": rng.choice((None, [0], [1, 2])),
    }
