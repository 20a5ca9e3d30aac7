"""In what an arm differs from its reference besides what its edits say."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from nasablate.blueprint import describe, lower
from nasablate.blueprint.blueprint import Blueprint
from nasablate.blueprint.compare import MISSING, Difference, differences, network_sections
from nasablate.blueprint.ops import Act, Conv, Norm
from nasablate.genome import AblationSpec
from nasablate.search.arms import Arm, Arms, resolve_levels
from nasablate.search.knobs import is_touched
from nasablate.search.matching import Matching
from nasablate.search.variant import TRAINING, Variant

if TYPE_CHECKING:
    from nasablate.data import DataInfo

_LABELS = ("name", "source")
_DEPTH = "stages.*.units"
_SAID_BY = {
    "weight layers": (_DEPTH,),
    "norms": (_DEPTH,),
    "activations": (_DEPTH,),
    "shortcut convolutions": ("shortcut", _DEPTH),
    "widths": ("width", "widening", _DEPTH),
    "output sizes": ("stages.*.stride", "stem.stride", "stem.kind", "stem.pool"),
}
"""By fact, the paths whose edits speak of it; of costs no edit does."""
_TOKENS = {"norms": "bn", "activations": "relu"}
_SLOTS = ("placement", "stem.post", "stem.between", "head.tail")
Fact = int | str


@dataclass(frozen=True, slots=True)
class Also:
    """A fact of a network, or a field of its genome or recipe, that no edit of the arm names."""

    what: str
    reference: Fact
    arm: Fact

    def __str__(self) -> str:
        """Return it as text.

        >>> str(Also("params", 1000, 1050)), str(Also("weight layers", 8, 11))
        ('params +5.00%', 'weight layers 8 -> 11')
        """
        if self.what in _COSTS:
            return f"{self.what} {int(self.arm) / max(1, int(self.reference)) - 1:+.2%}"
        return f"{self.what} {self.reference} -> {self.arm}"


_COSTS = ("params", "macs")


@dataclass(frozen=True, slots=True)
class Differences:
    """How an arm differs from the reference."""

    changes: tuple[Difference, ...]
    """Fields of genome and recipe (``training.``), each with the reference's value and its own."""
    also: tuple[Also, ...]
    """What follows from the edits, or comes with them, without being named by one."""
    notes: tuple[str, ...]
    """Edits that do nothing, and arms that change both the network and its training."""

    @property
    def text(self) -> str:
        """Return what the edits do not say, as one line; empty if there is nothing."""
        parts = [str(item) for item in self.also]
        return "; ".join(filter(None, (", ".join(parts), *self.notes)))

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "changes": [
                {"path": change.path, "reference": _plain(before), "arm": _plain(after)}
                for change in self.changes
                for before, after in [change.values]
            ],
            "also": [
                {"what": item.what, "reference": item.reference, "arm": item.arm}
                for item in self.also
            ],
            "notes": list(self.notes),
            "text": self.text,
        }


def arm_documents(arms: Arms) -> list[dict[str, Any]]:
    """Return what a study's row and a plan say of every arm, the reference first."""
    found = find_differences(arms)
    return [
        {
            "name": arm.name,
            "levels": arm.levels,
            "edits": dict(arm.edits),
            "params": arm.variant.cost.params,
            "macs": arm.variant.cost.macs,
            "digest": arm.variant.network_digest,
            "cell": arm.cell,
            "matching": None if arm.matching is None else arm.matching.document(),
            "differs": found[arm.name].document() if arm.name in found else None,
        }
        for arm in arms.arms
    ]


def level_differences(spec: AblationSpec, info: "DataInfo") -> dict[str, Differences]:
    """Return how every level alone differs from the baseline, by ``factor=level``.

    In designs that combine levels, this says of a factor what `find_differences` says of arms.
    """
    return find_differences(resolve_levels(spec, info)) if spec.combines_levels else {}


def find_differences(arms: Arms) -> dict[str, Differences]:
    """Return how every arm but the reference differs from it, by the arm's name."""
    reference = arms.reference
    facts = _facts(reference.variant)
    return {arm.name: _compared(arm, reference, facts) for arm in arms.arms[1:]}


def _compared(arm: Arm, reference: Arm, facts: Mapping[str, Fact]) -> Differences:
    matched = (arm.matching and arm.matching.edits) or {}
    touched = {*arm.edits, *reference.edits}
    changes = _changes(reference.variant, arm.variant)
    own = _facts(arm.variant)
    told = _told_by_matching(arm.matching)
    also = [
        Also(name, facts[name], own[name])
        for name in facts
        if facts[name] != own[name] and name not in told and not _is_said(name, touched, changes)
    ]
    touched |= {*matched}
    also += [
        Also(change.path, _shown(change.values[0]), _shown(change.values[1]))
        for change in changes
        if not is_touched(change.path, touched)
    ]
    return Differences(tuple(changes), tuple(also), tuple(_notes(arm, reference, matched)))


def _told_by_matching(matching: Matching | None) -> set[str]:
    """Return the facts that the record of the matching has already."""
    if matching is None:
        return set()
    told = {*matching.gaps} if matching.is_within else set[str]()
    moved = any(is_touched(path, matching.edits or {}) for path in ("width", "widening"))
    return told | ({"widths"} if moved else set[str]())


def _changes(reference: Variant, arm: Variant) -> list[Difference]:
    """Return the fields of genome and recipe that differ."""
    networks = [_without_labels(variant.genome.document()) for variant in (reference, arm)]
    recipes = [_without_labels(variant.recipe.document()) for variant in (reference, arm)]
    return differences(networks) + differences(recipes, TRAINING.removesuffix("."))


def _without_labels(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _LABELS}


def _facts(variant: Variant) -> dict[str, Fact]:
    """Return what is counted and compared of a network."""
    blueprint = lower(variant.genome)
    layers = [layer for part in blueprint.parts for layer in part.fragment.layers]
    shortcuts = [layer for layer in layers if layer.name.startswith("shortcut_")]
    return {
        "params": variant.cost.params,
        "macs": variant.cost.macs,
        "weight layers": describe(blueprint).weight_layers,
        "norms": sum(isinstance(layer.op, Norm) for layer in layers),
        "activations": sum(isinstance(layer.op, Act) for layer in layers),
        "shortcut convolutions": sum(isinstance(layer.op, Conv) for layer in shortcuts),
        **_profiles(blueprint),
    }


def _profiles(blueprint: Blueprint) -> dict[str, str]:
    stages = [found for found in network_sections(blueprint) if found.name.startswith("stages.")]
    return {
        "widths": ", ".join(str(found.widths[-1]) for found in stages),
        "output sizes": ", ".join("x".join(map(str, found.output[1:])) for found in stages),
    }


def _is_said(fact: str, touched: Collection[str], changes: Sequence[Difference]) -> bool:
    """Tell whether an edit names what a fact counts."""
    if any(is_touched(path, touched) for path in _SAID_BY.get(fact, ())):
        return True
    return _TOKENS.get(fact) in _changed_tokens(changes)


def _changed_tokens(changes: Sequence[Difference]) -> set[str]:
    """Return the tokens that some slot has more or fewer of."""
    found: set[str] = set()
    for change in changes:
        if change.path == "placement.first_unit_pre":
            found |= {"bn", "relu"}
        elif change.path.startswith(_SLOTS):
            before, after = (Counter(_tokens(value)) for value in change.values)
            found |= {*(before - after), *(after - before)}
    return found


def _tokens(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _tokens(item)


def _notes(arm: Arm, reference: Arm, matched: Mapping[str, Any]) -> Iterator[str]:
    for path in arm.variant.ignored:
        if path not in matched:
            yield f"{path} has no effect"
    before = _one_factor(arm, reference)
    if before is not None and len({path.startswith(TRAINING) for path in before}) == 2:
        yield "changes the network and its training at once"


def _one_factor(arm: Arm, reference: Arm) -> set[str] | None:
    """Return the paths edited on one side only; None if several factors changed."""
    changed = [name for name, level in arm.levels.items() if reference.levels.get(name) != level]
    return set(arm.edits) ^ set(reference.edits) if len(changed) <= 1 else None


def _shown(value: object) -> str:
    return "absent" if value is MISSING else str(value)


def _plain(value: object) -> object:
    return None if value is MISSING else value
