"""Numbers of width profiles: the output channels of every unit, network by network."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.blueprint.widths import unit_widths
from nasablate.errors import NasablateError
from nasablate.genome import Genome


@dataclass(frozen=True, slots=True)
class Profile:
    """One network."""

    name: str
    widths: tuple[int, ...]
    """By unit, from the input to the output."""
    stages: tuple[int, ...]
    """Units of each stage."""


@dataclass(frozen=True, slots=True)
class WidthProfiles:
    """What the figure shows."""

    profiles: tuple[Profile, ...]

    def alt_text(self) -> str:
        """Return the ends of each profile in sentences."""
        shown = [
            f"{p.name}: {p.widths[0]} to {p.widths[-1]} channels over {len(p.widths)} units"
            for p in self.profiles
        ]
        return f"Output channels by unit. {'; '.join(shown)}."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def width_profiles_data(genomes: Mapping[str, Genome]) -> WidthProfiles | None:
    """Return the widths of networks; those that have none are left out, None if all are."""
    found: list[Profile] = []
    for name, genome in genomes.items():
        try:
            stages = [stage for stage in unit_widths(genome) if stage]
        except NasablateError:
            continue
        if stages:
            widths = tuple(width for stage in stages for width in stage)
            found.append(Profile(name, widths, tuple(len(stage) for stage in stages)))
    return WidthProfiles(tuple(found)) if found else None
