"""The arms of an ablation, enumerated from its design and resolved without torch."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never, cast

from pydantic import JsonValue

from nasablate.errors import GenomeError, Problem, SpecError
from nasablate.genome import AblationSpec, Genome, load_recipe
from nasablate.search.variant import Variant, check_edit_path, on_data, vary

if TYPE_CHECKING:
    from nasablate.data import DataInfo

Levels = dict[str, str]
"""From factors to levels."""
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Arm:
    """One named edit of the baseline."""

    name: str
    levels: Levels
    """Empty for listed arms."""
    variant: Variant


@dataclass(frozen=True, slots=True)
class Arms:
    """All arms of an ablation, the reference first."""

    arms: tuple[Arm, ...]

    @property
    def reference(self) -> Arm:
        """The arm that all others are compared with."""
        return self.arms[0]


def resolve_arms(spec: AblationSpec, info: "DataInfo") -> Arms:
    """Return the arms of an ablation over a data set.

    Raises:
        SpecError: a path exists nowhere, a factor has no level that leaves the baseline as it is
            or several, an arm is illegal, changes nothing, repeats another, or lies outside
            ``match``.
    """
    bench = _Bench(spec, info)
    arms = [bench.arm(name, levels) for name, levels in _named_levels(spec, bench)]
    arms += [bench.listed(name) for name in spec.arms]
    if spec.design == "arms":
        arms.insert(0, bench.arm(BASELINE, {}))
    _check_distinct(arms)
    _check_match(spec, arms)
    return Arms(tuple(arms))


class _Bench:
    """The baseline, and for every factor the level it has already."""

    def __init__(self, spec: AblationSpec, info: "DataInfo") -> None:
        self.spec = spec
        self.genome = on_data(Genome.parse(cast("dict[str, JsonValue]", spec.baseline)), info)
        self.recipe = load_recipe(spec.training)
        self.baseline = vary(self.genome, self.recipe, {})
        self._check_paths()
        self.present = {factor: self._present(factor) for factor in spec.factors}

    def arm(self, name: str, levels: Levels) -> Arm:
        """Return the arm with these levels; other factors stay as they are."""
        edits: dict[str, JsonValue] = {}
        for factor, level in levels.items():
            if level != self.present[factor]:
                edits |= self.spec.factors[factor][level]
        return Arm(name, {**self.present, **levels}, self._vary(name, edits, "factors"))

    def listed(self, name: str) -> Arm:
        """Return one of the listed arms."""
        return Arm(name, {}, self._vary(name, self.spec.arms[name], "arms"))

    def _vary(self, name: str, edits: dict[str, JsonValue], key: str) -> Variant:
        try:
            return vary(self.genome, self.recipe, edits)
        except SpecError as error:
            problem = error.problems[0]
            kind = GenomeError if isinstance(error, GenomeError) else SpecError
            rule = f"arm {name!r} is not possible: {problem.rule}"
            raise kind(
                Problem(problem.path, problem.value, rule, problem.remedy, loc=(key,))
            ) from None

    def _present(self, factor: str) -> str:
        """Return the level that leaves the baseline as it is."""
        own = [
            level
            for level, edits in self.spec.factors[factor].items()
            if _same(self._vary(f"{factor}={level}", edits, "factors"), self.baseline)
        ]
        if len(own) != 1:
            found = "none does" if not own else f"{' and '.join(own)} do"
            rule = f"one level of a factor must leave the baseline as it is; {found}"
            remedy = "add a level with the baseline's own values, or {} for no edit"
            loc = ("factors", factor)
            raise SpecError(
                Problem(f"factors.{factor}", list(self.spec.factors[factor]), rule, remedy, loc=loc)
            )
        return own[0]

    def _check_paths(self) -> None:
        for factor, levels in self.spec.factors.items():
            for level, edits in levels.items():
                _check_edits(edits, ("factors", factor, level))
        for name, edits in self.spec.arms.items():
            _check_edits(edits, ("arms", name))


def _check_edits(edits: dict[str, JsonValue], loc: tuple[str, ...]) -> None:
    for path in edits:
        try:
            check_edit_path(path)
        except SpecError as error:
            found = error.problems[0]
            place = ".".join((*loc, path))
            raise SpecError(
                Problem(place, found.value, found.rule, found.remedy, loc=(*loc, path))
            ) from None


def _named_levels(spec: AblationSpec, bench: _Bench) -> Iterator[tuple[str, Levels]]:
    """Yield the arms of a design over factors, the reference first."""
    present = bench.present
    match spec.design:
        case "one_at_a_time":
            yield BASELINE, {}
            for factor, level in _changes(spec, present):
                yield f"{factor}={level}", {factor: level}
        case "leave_one_out":
            every = _two_levels(spec, present)
            yield "all", every
            for factor in every:
                yield f"all but {factor}", {**every, factor: present[factor]}
        case "path":
            every = _two_levels(spec, present)
            yield BASELINE, {}
            yield from _path(spec.order or tuple(every), every)
        case "factorial":
            yield from _combinations(spec, present)
        case "arms":
            return
        case _:
            assert_never(spec.design)


def _path(order: tuple[str, ...], every: Levels) -> Iterator[tuple[str, Levels]]:
    for count in range(1, len(order) + 1):
        given = {factor: every[factor] for factor in order[:count]}
        yield " + ".join(f"{name}={level}" for name, level in given.items()), given


def _combinations(spec: AblationSpec, present: Levels) -> Iterator[tuple[str, Levels]]:
    yield BASELINE, {}
    for combination in itertools.product(*spec.factors.values()):
        levels = dict(zip(spec.factors, combination, strict=True))
        edited = {factor: level for factor, level in levels.items() if level != present[factor]}
        if edited:
            yield ", ".join(f"{factor}={level}" for factor, level in edited.items()), edited


def _changes(spec: AblationSpec, present: Levels) -> Iterator[tuple[str, str]]:
    """Yield every factor with every level that is not the baseline's."""
    for factor, levels in spec.factors.items():
        for level in levels:
            if level != present[factor]:
                yield factor, level


def _two_levels(spec: AblationSpec, present: Levels) -> Levels:
    """Return the one other level of every factor."""
    for factor, levels in spec.factors.items():
        if len(levels) != 2:
            rule = f"design {spec.design} needs two levels in every factor, found {len(levels)}"
            loc = ("factors", factor)
            problem = Problem(f"factors.{factor}", list(levels), rule, "drop a level", loc=loc)
            raise SpecError(problem)
    return dict(_changes(spec, present))


def _same(one: Variant, other: Variant) -> bool:
    return (one.network_digest, one.recipe_digest) == (other.network_digest, other.recipe_digest)


def _check_distinct(arms: list[Arm]) -> None:
    for index, arm in enumerate(arms):
        for other in arms[:index]:
            if _same(arm.variant, other.variant):
                rule = f"arm {arm.name!r} is the same network and recipe as {other.name!r}"
                remedy = "its edits change nothing; correct them or drop the arm"
                raise SpecError(Problem("arms", arm.name, rule, remedy, loc=("factors",)))
            if arm.name == other.name:
                rule = f"two arms are called {arm.name!r}"
                raise SpecError(Problem("arms", arm.name, rule, "rename one", loc=("arms",)))


def _check_match(spec: AblationSpec, arms: list[Arm]) -> None:
    for metric, tolerance in spec.match.items():
        wanted = arms[0].variant.cost.document()[metric]
        for arm in arms[1:]:
            off = arm.variant.cost.document()[metric] / wanted - 1
            if abs(off) > tolerance:
                rule = f"arm {arm.name!r} has {off:+.2%} {metric}, more than match allows"
                remedy = "change a width in the arm's edits, or loosen match"
                loc = ("match", metric)
                raise SpecError(Problem(f"match.{metric}", tolerance, rule, remedy, loc=loc))
