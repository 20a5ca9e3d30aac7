"""Compares networks: what their genomes differ in, and what each section of them costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from nasablate.blueprint.blueprint import Blueprint, Part
from nasablate.blueprint.describe import Description, describe
from nasablate.blueprint.lower import lower
from nasablate.blueprint.ops import Shape
from nasablate.genome.genome import Genome

_LABELS = ("name", "source")
"""Fields of a genome that are no part of the network."""


class _Missing:
    """Stands where a genome has no such field."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that not all genomes agree on."""

    path: str
    """Dotted, as in search spaces: ``stages.0.units``."""
    values: tuple[object, ...]
    """One value for each genome; ``MISSING`` where its variant has no such field."""

    def document(self) -> dict[str, Any]:
        """Return the difference as plain JSON data; ``given`` tells null from absent."""
        given = [value is not MISSING for value in self.values]
        values = [value if value is not MISSING else None for value in self.values]
        return {"path": self.path, "values": values, "given": given}


@dataclass(frozen=True, slots=True)
class Section:
    """Stem, one stage or head of one network."""

    name: str
    """``stem``, ``stages.<index>`` or ``head``."""
    units: int
    output: Shape
    widths: tuple[int, ...]
    """Output channels (features, if flat) of every unit."""
    params: int
    macs: int

    def document(self) -> dict[str, Any]:
        """Return the section as plain JSON data."""
        return {
            "name": self.name,
            "units": self.units,
            "output": list(self.output),
            "widths": list(self.widths),
            "params": self.params,
            "macs": self.macs,
        }


@dataclass(frozen=True, slots=True)
class Total:
    """One count of all networks; the first one is what the others are compared with."""

    name: str
    values: tuple[int, ...]

    @property
    def differences(self) -> tuple[int, ...]:
        """Return each count minus the first."""
        return tuple(value - self.values[0] for value in self.values)

    @property
    def ratios(self) -> tuple[float | None, ...]:
        """Return each count divided by the first; None if that is zero."""
        first = self.values[0]
        return tuple(value / first if first else None for value in self.values)

    def document(self) -> dict[str, Any]:
        """Return the counts as plain JSON data."""
        return {
            "name": self.name,
            "values": list(self.values),
            "differences": list(self.differences),
            "ratios": list(self.ratios),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several networks side by side."""

    names: tuple[str, ...]
    digests: tuple[str, ...]
    differences: tuple[Difference, ...]
    sections: tuple[tuple[Section, ...], ...]
    """The sections of each network."""
    totals: tuple[Total, ...]

    @property
    def are_the_same(self) -> bool:
        """Tell whether all genomes describe one network, in whatever spelling."""
        return len(set(self.digests)) == 1

    @property
    def section_names(self) -> tuple[str, ...]:
        """Return the names of all sections, each once: stem, stages in order, head."""
        longest = max((len(sections) - 2 for sections in self.sections), default=0)
        stages = [f"stages.{index}" for index in range(longest)]
        known = {section.name for sections in self.sections for section in sections}
        return tuple(name for name in ("stem", *stages, "head") if name in known)

    def document(self) -> dict[str, Any]:
        """Return the comparison as plain JSON data."""
        return {
            "same_network": self.are_the_same,
            "networks": [
                {
                    "name": name,
                    "digest": digest,
                    "sections": [section.document() for section in sections],
                }
                for name, digest, sections in zip(
                    self.names, self.digests, self.sections, strict=True
                )
            ],
            "differences": [difference.document() for difference in self.differences],
            "totals": [total.document() for total in self.totals],
        }


def compare(genomes: Sequence[Genome], names: Sequence[str]) -> Comparison:
    """Compare the networks of two genomes or more; ``names`` are shown for them.

    Raises:
        GenomeError: a genome describes no legal network.

    Example:
        >>> from nasablate.genome import load_genome
        >>> two = ["resnet-20", "resnet-32"]
        >>> [item.path for item in compare([load_genome(name) for name in two], two).differences]
        ['stages.0.units', 'stages.1.units', 'stages.2.units']
    """
    blueprints = [lower(genome) for genome in genomes]
    found = [describe(blueprint) for blueprint in blueprints]
    documents = [
        {key: value for key, value in genome.document().items() if key not in _LABELS}
        for genome in genomes
    ]
    return Comparison(
        names=tuple(names),
        digests=tuple(description.digest for description in found),
        differences=tuple(differences(documents)),
        sections=tuple(tuple(network_sections(blueprint)) for blueprint in blueprints),
        totals=_totals(found),
    )


def differences(values: Sequence[object], path: str = "") -> list[Difference]:
    """Return where plain documents differ; records and lists of records are followed.

    >>> differences([{"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2}])
    [Difference(path='a.b', values=(1, 3))]
    """
    if all(value == values[0] for value in values[1:]):
        return []
    inner = _inner(values)
    if inner is None:
        return [Difference(path, tuple(values))]
    found: list[Difference] = []
    for key, below in inner.items():
        found += differences(below, f"{path}.{key}" if path else key)
    return found


def network_sections(blueprint: Blueprint) -> list[Section]:
    """Return stem, stages and head; a stage without units does not appear."""
    groups: dict[str, list[Part]] = {}
    for part in blueprint.parts:
        name = part.name if part.stage < 0 else f"stages.{part.stage}"
        groups.setdefault(name, []).append(part)
    return [_section(name, parts) for name, parts in groups.items()]


def _section(name: str, parts: Sequence[Part]) -> Section:
    shapes = [part.fragment.output_shape for part in parts]
    return Section(
        name=name,
        units=len(parts),
        output=shapes[-1],
        widths=tuple(shape[0] for shape in shapes),
        params=sum(part.fragment.cost.params for part in parts),
        macs=sum(part.fragment.cost.macs for part in parts),
    )


def _inner(values: Sequence[object]) -> dict[str, list[object]] | None:
    """Return the values below each key or index; None if the values have to be shown whole."""
    if all(isinstance(value, Mapping) for value in values):
        records = [cast("Mapping[str, object]", value) for value in values]
        keys = dict.fromkeys(key for record in records for key in record)
        return {key: [record.get(key, MISSING) for record in records] for key in keys}
    if all(_is_list_of_records(value) for value in values):
        lists = [cast("list[object]", value) for value in values]
        return {
            str(index): [items[index] if index < len(items) else MISSING for items in lists]
            for index in range(max(map(len, lists)))
        }
    return None


def _is_list_of_records(value: object) -> bool:
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return bool(items) and all(isinstance(item, Mapping) for item in items)


def _totals(found: Sequence[Description]) -> tuple[Total, ...]:
    return (
        Total("weight layers", tuple(item.weight_layers for item in found)),
        Total("params", tuple(item.cost.params for item in found)),
        Total("macs", tuple(item.cost.macs for item in found)),
        Total("activations", tuple(item.cost.activations for item in found)),
    )
