"""Random units and surroundings of the networks before residual ones, for ``random_genomes``."""

import random
from typing import Any

Record = dict[str, Any]
FORMS = ("square", "square", "stacked", "row_column", "column_row", "parallel")


def random_stage(rng: random.Random, unit: Record | None) -> Record:
    """Draw a stage; ``unit`` is its own unit, if it is to have one."""
    units = rng.choice((0, 1, 1, 2, 3))
    own: Record | list[Record | None] | None = unit
    if unit is not None and units and rng.random() < 0.3:
        own = [unit] * rng.choice((units, units, 1))
    return {
        "units": units,
        "stride": rng.choice((1, 1, 2, 2, 3)),
        "unit": own,
        "pool": _stage_pool(rng) if rng.random() < 0.2 else None,
        "dropout": rng.choice((0.0, 0.0, 0.5)),
    }


def random_plain_unit(rng: random.Random) -> Record:
    """Draw a convolution, an mlpconv or an inception."""
    kind = rng.choice(("conv", "conv", "mlpconv", "inception"))
    padding = rng.choice(("same", "same", "same", 0, 1))
    if kind == "conv":
        return {
            "kind": kind,
            "kernel": rng.choice((1, 2, 3, 3, 5, 7)),
            "width": rng.choice((None, None, 6, 12)),
            "padding": padding,
            "cardinality": rng.choice((1, 1, 1, 2, 3)),
            "form": rng.choice(FORMS),
        }
    if kind == "mlpconv":
        count = rng.randint(0, 3)
        widths = [rng.randint(1, 16) for _ in range(rng.choice((count + 1, count + 1, 2)))]
        return {
            "kind": kind,
            "kernel": rng.choice((1, 3, 5)),
            "padding": padding,
            "pointwise": count,
            "widths": rng.choice((None, widths)),
        }
    return {
        "kind": kind,
        "branches": [_branch(rng) for _ in range(rng.randint(1, 4))],
        "widths": rng.choice(("schedule", "own")),
        "padding": rng.choice(("same", "same", "valid")),
    }


def random_response(rng: random.Random) -> Record:
    """Draw a local response normalisation."""
    places = ("before_pool", "after_pool")
    stages = rng.choice((None, [0], [0, 2]))
    at: str | list[str] = rng.choice(places)
    if stages is not None and rng.random() < 0.5:
        at = [rng.choice(places) for _ in stages]
    return {
        "size": rng.choice((1, 3, 5)),
        "alpha": rng.choice((1e-4, 0.5)),
        "beta": rng.choice((0.75, 1.0)),
        "k": rng.choice((1.0, 2.0)),
        "stages": stages,
        "at": at,
    }


def random_auxiliary(rng: random.Random) -> list[Record]:
    """Draw up to two auxiliary classifiers; some read a unit that there may not be."""
    if rng.random() < 0.7:
        return []
    return [_auxiliary(rng) for _ in range(rng.randint(1, 2))]


def _auxiliary(rng: random.Random) -> Record:
    return {
        "stage": rng.choice((0, 0, 1)),
        "unit": rng.choice((None, None, 0, 1)),
        "weight": rng.choice((0.3, 1.0)),
        "kernel": rng.choice((1, 2, 5)),
        "stride": rng.randint(1, 3),
        "side": rng.choice((None, 2, 4)),
        "convs": [
            {"kernel": rng.choice((1, 1, 2)), "width": rng.randint(1, 12)}
            for _ in range(rng.randint(0, 2))
        ],
        "post": rng.choice(([], ["relu"], ["bn", "relu"])),
        "pool": rng.choice(("gap", "flatten")),
        "hidden": [rng.randint(1, 16) for _ in range(rng.randint(0, 2))],
        "dropout": rng.choice((0.0, 0.7)),
    }


def _stage_pool(rng: random.Random) -> Record:
    return {
        "kind": rng.choice(("max", "avg")),
        "kernel": rng.randint(1, 3),
        "stride": rng.randint(1, 3),
        "padding": rng.choice((0, 0, 1)),
        "ceil": rng.random() < 0.5,
        "at": rng.choice(("start", "end")),
    }


def _branch(rng: random.Random) -> Record:
    return {
        "pool": rng.choice(("none", "none", "max", "avg")),
        "pool_kernel": rng.choice((3, 3, 1, 2)),
        "count_padding": rng.random() < 0.5,
        "reduce": rng.choice((None, rng.randint(1, 16))),
        "convs": [
            {
                "kernel": rng.choice((1, 3, 5, [1, 3], [3, 1])),
                "width": rng.randint(2, 16),
                "form": rng.choice(FORMS),
            }
            for _ in range(rng.randint(0, 2))
        ],
    }
