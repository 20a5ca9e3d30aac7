"""Whether an ablation has seeds enough for any verdict, before anything is trained."""

from collections.abc import Iterator
from itertools import combinations

from nasablate.analysis.paired import seeds_needed
from nasablate.errors import Problem, SpecError
from nasablate.genome import AblationSpec
from nasablate.search.ablation_tables import count_effects
from nasablate.search.arms import Arms
from nasablate.search.knobs import overlaps
from nasablate.search.looks import plan_looks


def needed_seeds(spec: AblationSpec, arms: Arms) -> dict[str, int]:
    """Return the least seeds whose exact test survives Holm's correction, by what is compared.

    ``arms``: every arm with the reference. ``effects``: main effects and interactions of a
    factorial or fractional design. Empty for sequential ablations, which need no number.
    """
    if spec.sequential is not None:
        return {}
    needed = {"arms": seeds_needed(max(1, len(arms.arms) - 1))}
    effects = count_effects(spec)
    return {**needed, "effects": seeds_needed(effects)} if effects else needed


def check_can_answer(spec: AblationSpec, arms: Arms) -> None:
    """Refuse an ablation that no result could make better or worse than undecided.

    Raises:
        SpecError: there are too few seeds, and the file does not accept that.
    """
    problem = why_undecided(spec, arms)
    if problem is not None and not spec.accept_undecided:
        raise SpecError(problem)


def why_undecided(spec: AblationSpec, arms: Arms) -> Problem | None:
    """Return what is wrong with the number of seeds; None if some verdict can be reached.

    Looks need no least number: their bounds rest on the spread of all arms (see ``sequential``).

    Raises:
        SpecError: the looks cannot be taken.
    """
    if spec.sequential is not None:
        plan_looks(spec, [arm.name for arm in arms.arms[1:]])
        if spec.sequential.looks[-1] > 1:
            return None
        rule = "a single training is never called better or worse"
        loc = ("sequential", "looks")
        return Problem("sequential.looks", list(spec.sequential.looks), rule, "look later", loc=loc)
    least = min(needed_seeds(spec, arms).values())
    if spec.seeds >= least:
        return None
    rule = f"cannot give a verdict of better or worse, whatever comes out; {least} can"
    remedy = f"raise seeds to {least}, or accept it with --anyway or accept_undecided: true"
    return Problem("seeds", spec.seeds, rule, remedy, loc=("seeds",))


def shared_paths(spec: AblationSpec) -> Iterator[str]:
    """Yield a warning for every pair of factors that edit the same field in one arm."""
    if spec.design == "one_at_a_time":
        return
    for one, other in combinations(spec.factors, 2):
        paths = [
            {path for edits in spec.factors[name].values() for path in edits}
            for name in (one, other)
        ]
        shared = sorted(path for path in paths[0] if any(overlaps(path, o) for o in paths[1]))
        if shared:
            yield (
                f"factors {one} and {other} both edit {', '.join(shared)}; an arm with both "
                "follows the more specific path, or the later factor"
            )
