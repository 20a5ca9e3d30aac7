"""Blueprints of small networks and their layers by name, for the tests of lowering."""

from typing import Any

from nasablate.blueprint import Blueprint, lower
from nasablate.blueprint.layer import Layer
from nasablate.genome import Genome

TWO_STAGES = [{"units": 2}, {"units": 2, "stride": 2}]


def blueprint_of(**changes: Any) -> Blueprint:
    """Lower two stages of two units, 16 and 32 wide, with some changes."""
    return lower(Genome.parse({"stages": TWO_STAGES, **changes}))


def layer(blueprint: Blueprint, name: str) -> Layer:
    return next(found for found in blueprint.layers if found.name == name)


def names(blueprint: Blueprint, prefix: str) -> list[str]:
    """Return the names of the layers of a unit, without the prefix."""
    return [
        found.name.removeprefix(prefix)
        for found in blueprint.layers
        if found.name.startswith(prefix)
    ]
