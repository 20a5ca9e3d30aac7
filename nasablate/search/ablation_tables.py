"""Main effects, interactions and the steps of a path, from the errors of an ablation's arms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

from nasablate.analysis.effects import Cell, Effect, estimate_effects
from nasablate.analysis.fractional import Fraction
from nasablate.analysis.judgement import Judgement, judge_arms
from nasablate.genome import AblationSpec
from nasablate.search.designs import Levels, fraction_of, path_steps

Errors = Mapping[int, float]
"""Error in percent by replicate."""


@dataclass(frozen=True, slots=True)
class CellErrors:
    """The errors of one arm of a design over factors."""

    name: str
    levels: Levels
    cell: str
    """The arm it is the matched twin of, else empty."""
    errors: Errors


@dataclass(frozen=True, slots=True)
class EffectTable:
    """All effects up to two factors of one set of cells."""

    of: Literal["arms", "arms as written", "matched arms"]
    effects: tuple[Effect, ...]

    def document(self) -> dict[str, Any]:
        """Return the table as plain JSON data."""
        return {"of": self.of, "effects": [asdict(effect) for effect in self.effects]}


@dataclass(frozen=True, slots=True)
class Step:
    """One factor added to those before it."""

    factor: str
    before: str
    """Name of the arm without it."""
    after: str
    judgement: Judgement

    def document(self) -> dict[str, Any]:
        """Return the step as plain JSON data."""
        return {
            "factor": self.factor,
            "before": self.before,
            "after": self.after,
            **asdict(self.judgement),
        }


def effect_tables(spec: AblationSpec, arms: Sequence[CellErrors]) -> tuple[EffectTable, ...]:
    """Return the effects of a factorial or fractional design; empty for others, or one seed.

    Args:
        spec: The ablation.
        arms: Its arms, the reference first.
    """
    if not spec.combines_levels or spec.seeds < 2:
        return ()
    written = {arm.name: arm for arm in arms if not arm.cell}
    twins = {arm.cell: arm for arm in arms if arm.cell}
    if not twins:
        return (EffectTable("arms", _effects(spec, list(written.values()))),)
    matched = [twins.get(name, arm) for name, arm in written.items()]
    return (
        EffectTable("arms as written", _effects(spec, list(written.values()))),
        EffectTable("matched arms", _effects(spec, matched)),
    )


def _effects(spec: AblationSpec, arms: Sequence[CellErrors]) -> tuple[Effect, ...]:
    present = arms[0].levels
    factors = {
        name: [present[name], *(level for level in levels if level != present[name])]
        for name, levels in spec.factors.items()
    }
    values: dict[Cell, Errors] = {
        tuple(arm.levels[name] for name in spec.factors): arm.errors for arm in arms
    }
    return estimate_effects(factors, values, seeds=spec.seeds, runs=list(values))


def count_effects(spec: AblationSpec) -> int:
    """Return how many distinct effects a factorial or fractional design asks about, else 0."""
    if spec.design == "fractional":
        aliases = fraction_of(spec).aliases
        return len(
            {min([effect, *(word.factors for word in words)]) for effect, words in aliases.items()}
        )
    if spec.design != "factorial":
        return 0
    others = [len(levels) - 1 for levels in spec.factors.values()]
    return sum(others) + sum(one * other for one, other in combinations(others, 2))


def path_table(spec: AblationSpec, arms: Sequence[CellErrors]) -> tuple[Step, ...]:
    """Return what every factor brought when it was added; empty unless ``design: path``.

    Steps are judged among themselves, with Holm's correction over their number.
    """
    if spec.design != "path":
        return ()
    pairs = {
        f"{index}": (factor, before, after)
        for index, (factor, before, after) in enumerate(_steps(spec, arms))
    }
    differences = {
        key: {r: after.errors[r] - before.errors[r] for r in before.errors.keys() & after.errors}
        for key, (_, before, after) in pairs.items()
    }
    zero = dict.fromkeys(range(spec.seeds), 0.0)
    judged = judge_arms(zero, differences, seeds=spec.seeds, margin=spec.margin)
    return tuple(
        Step(factor, before.name, after.name, judged[key])
        for key, (factor, before, after) in pairs.items()
    )


def _steps(
    spec: AblationSpec, arms: Sequence[CellErrors]
) -> Iterator[tuple[str, CellErrors, CellErrors]]:
    """Yield the steps between matched arms where there are any."""
    present = arms[0].levels
    by_changed: dict[frozenset[str], CellErrors] = {}
    for arm in arms:  # a matched twin follows its arm and takes its place
        changed = frozenset(name for name, level in arm.levels.items() if level != present[name])
        by_changed[changed] = arm
    for factor, before, after in path_steps(spec):
        yield factor, by_changed[frozenset(before)], by_changed[frozenset(after)]


def fraction_document(fraction: Fraction) -> dict[str, Any]:
    """Return a fraction's resolution, generators and aliases as plain JSON data."""
    return {
        "resolution": fraction.resolution,
        "runs": len(fraction.runs),
        "of": 2 ** len(fraction.factors),
        "generators": {name: str(word) for name, word in fraction.generators.items()},
        "defining_relation": [str(word) for word in fraction.words],
        "aliases": {
            ":".join(effect): [str(word) for word in words]
            for effect, words in fraction.aliases.items()
            if words
        },
    }


def alias_lines(fraction: Fraction) -> list[str]:
    """Return what the fraction mixes, one line for each set: ``a:b = c:d``."""
    lines: list[str] = []
    seen: set[tuple[str, ...]] = set()
    for effect, words in fraction.aliases.items():
        if words and effect not in seen:
            seen |= {effect, *(word.factors for word in words)}
            lines.append(" = ".join([":".join(effect), *map(str, words)]))
    return lines
