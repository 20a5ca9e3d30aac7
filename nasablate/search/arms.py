"""The arms of an ablation, enumerated from its design and resolved without torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue

from nasablate.errors import GenomeError, Problem, SpecError
from nasablate.genome import AblationSpec, Genome, load_recipe
from nasablate.genome.problems import nearest
from nasablate.search.designs import BASELINE, Levels, named_levels
from nasablate.search.matching import Matching, as_written, match
from nasablate.search.variant import Variant, check_edit_path, on_data, vary

if TYPE_CHECKING:
    from nasablate.data import DataInfo


@dataclass(frozen=True, slots=True)
class Arm:
    """One named edit of the baseline."""

    name: str
    levels: Levels
    """Empty for listed arms."""
    edits: Mapping[str, JsonValue]
    """Of the baseline, without those that match its cost."""
    variant: Variant
    cell: str = ""
    """The name under which a matched arm is also trained as its edits say; else empty."""
    matching: Matching | None = None
    """None for the reference, and without ``match``."""


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
            or several, an arm is illegal, changes nothing or repeats another.
    """
    bench = _Bench(spec, info)
    arms = [bench.arm(name, levels) for name, levels in named_levels(spec, bench.present)]
    arms += [bench.listed(name) for name in spec.arms]
    if spec.design == "arms":
        arms.insert(0, bench.arm(BASELINE, {}))
    _check_distinct(arms)
    if spec.match:
        arms = [arms[0], *_matched(spec, arms)]
        _check_distinct(arms)
    _check_reported(spec, arms)
    return Arms(tuple(arms))


def resolve_levels(spec: AblationSpec, info: "DataInfo") -> Arms:
    """Return the baseline and every other level of every factor alone, whatever the design is.

    Raises:
        SpecError: as `resolve_arms`.
    """
    bench = _Bench(spec, info)
    alone = spec.model_copy(update={"design": "one_at_a_time"})
    return Arms(tuple(bench.arm(*found) for found in named_levels(alone, bench.present)))


def _matched(spec: AblationSpec, arms: list[Arm]) -> Iterator[Arm]:
    """Yield the arms but the reference with costs as near to its as can be."""
    reference = arms[0]
    for arm in arms[1:]:
        touched = {*arm.edits, *reference.edits}
        variant, matching = match(arm.variant, reference.variant, spec.match, touched)
        if spec.match_mode == "matched":
            yield replace(arm, variant=variant, matching=matching)
        elif matching.edits is None:
            yield replace(arm, matching=matching)
        else:
            yield replace(arm, matching=as_written(matching))
            name = f"{arm.name} (matched)"
            yield replace(arm, name=name, cell=arm.name, variant=variant, matching=matching)


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
        return Arm(name, {**self.present, **levels}, edits, self._vary(name, edits, ("factors",)))

    def listed(self, name: str) -> Arm:
        """Return one of the listed arms."""
        edits = self.spec.arms[name]
        return Arm(name, {}, edits, self._vary(name, edits, ("arms", name)))

    def _vary(self, name: str, edits: dict[str, JsonValue], loc: tuple[str, ...]) -> Variant:
        try:
            return vary(self.genome, self.recipe, edits)
        except SpecError as error:
            problem = error.problems[0]
            kind = GenomeError if isinstance(error, GenomeError) else SpecError
            rule = f"arm {name!r} is not possible: {problem.rule}"
            raise kind(
                Problem(problem.path, problem.value, rule, problem.remedy, loc=loc)
            ) from None

    def _present(self, factor: str) -> str:
        """Return the level that leaves the baseline as it is."""
        own = [
            level
            for level, edits in self.spec.factors[factor].items()
            if _same(
                self._vary(f"{factor}={level}", edits, ("factors", factor, level)), self.baseline
            )
        ]
        if len(own) != 1:
            found = "none does" if not own else f"{' and '.join(own)} do"
            rule = f"one level of a factor must leave the baseline as it is; {found}"
            remedy = (
                "drop or change all but one of them"
                if own
                else "add a level with the baseline's own values, or {} for no edit"
            )
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


def _same(one: Variant, other: Variant) -> bool:
    return (one.network_digest, one.recipe_digest) == (other.network_digest, other.recipe_digest)


def _check_distinct(arms: list[Arm]) -> None:
    for index, arm in enumerate(arms):
        for other in arms[:index]:
            if _same(arm.variant, other.variant):
                rule = f"arm {arm.name!r} is the same network and recipe as {other.name!r}"
                remedy = "its edits change nothing; correct them or drop the arm"
                raise SpecError(Problem("arms", arm.name, rule, remedy, loc=_place(arm)))
            if arm.name == other.name:
                rule = f"two arms are called {arm.name!r}"
                raise SpecError(Problem("arms", arm.name, rule, "rename one", loc=_place(arm)))


def _place(arm: Arm) -> tuple[str, ...]:
    """Return where in the file an arm comes from."""
    return ("factors",) if arm.levels else ("arms", arm.name)


def _check_reported(spec: AblationSpec, arms: list[Arm]) -> None:
    """Refuse a reported number of an arm that the design does not make."""
    known = [BASELINE, *(arm.name for arm in arms)]
    for index, row in enumerate(spec.reported):
        if isinstance(row.arm, str) and row.arm not in known:
            path, loc = f"reported[{index}].arm", ("reported", index, "arm")
            raise SpecError(
                Problem(path, row.arm, "names no arm", nearest(row.arm, known), loc=loc)
            )
