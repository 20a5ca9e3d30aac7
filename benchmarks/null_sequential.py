"""The part of the simulated studies that stops early: error held, trainings saved."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from benchmarks.null_figures import Bar
from benchmarks.null_report import Goal, Report
from benchmarks.simulated_sequential import Scene, Sequel, fixed_designs, saving, sequel
from nasablate.analysis.sequential import SequentialPlan
from nasablate.analysis.spending import Spending
from nasablate.genome.sequential import MANY_ARMS, Sequential

if TYPE_CHECKING:
    from benchmarks.simulated import Share

SPENDINGS: dict[int, tuple[Spending, ...]] = {
    54: ("obrien_fleming", "cubic"),
    5: ("obrien_fleming", "cubic", "power"),
}
DEFAULT = Sequential.of(54)
"""What an ablation file with 54 arms gets that says nothing of its looks."""
FEW = Sequential.of(5)
INTEREST = 0.3
SHARE = 0.45
MIXES = {
    "18 of 0, 18 of 0.3, 18 of 1": (0.0,) * 18 + (0.3,) * 18 + (1.0,) * 18,
    "27 of 0, 14 of 0.3, 13 of 1": (0.0,) * 27 + (0.3,) * 14 + (1.0,) * 13,
    "40 of 0, 9 of 0.3, 5 of 1": (0.0,) * 40 + (0.3,) * 9 + (1.0,) * 5,
}
FEW_MIX = (0.0, 0.0, 0.0, 0.3, 1.0)


def plan(
    arms: int,
    spending: Spending,
    interest: float | None = None,
    interest_in: Literal["worse", "both"] = "worse",
) -> SequentialPlan:
    """Return the design simulated: the default for so many arms, with this spending."""
    names = tuple(f"arm {i}" for i in range(arms))
    own = Sequential.of(arms)
    return SequentialPlan(
        own.looks, own.baseline_seeds, names, interest, interest_in, None, spending, own.futility
    )


@dataclass(frozen=True, slots=True)
class _Null:
    name: str
    scene: Scene
    futility: str
    studies: int
    is_promised: bool = False


def sequential_errors(report: Report) -> None:
    """Simulate null studies."""
    table = report.table(
        "Sequential: null studies with any arm called better or worse",
        f"54 arms: looks at {_words(DEFAULT.looks)} seeds, baseline {DEFAULT.baseline_seeds}; "
        f"5 arms: {_words(FEW.looks)}, baseline {FEW.baseline_seeds}: the defaults for so many. "
        "Percent ± standard error. Without futility no arm is dropped, which is the worst case of "
        "the error. Correlation is that of two arms over seeds.",
        ("arms", "spending", "values", "futility", "studies", "error", "trainings"),
    )
    promised: dict[int, list[tuple[str, Share]]] = {54: [], 5: []}
    for case in _nulls(report.studies):
        found = sequel(case.scene, case.studies, report.seed)
        own = case.scene.plan
        arms = len(own.arms)
        table.rows.append(
            (arms, own.spending, case.name, case.futility, f"{case.studies:,}", found.error,
             f"{found.trainings:.0f}")
        )  # fmt: skip
        if case.is_promised:
            promised[arms].append((f"{case.name}, {own.spending}", found.error))
    for arms, named in promised.items():
        report.rate(f"sequential family-wise error at most 5 %, {arms} arms, normal", named)


def _nulls(studies: int) -> Iterator[_Null]:
    for arms, spendings in SPENDINGS.items():
        some = studies if arms < MANY_ARMS else max(100, studies // 4)
        zero = (0.0,) * arms
        for spending in spendings:
            whole = plan(arms, spending)
            is_default = spending == Sequential.of(arms).spending
            for r in (0.0, 0.4, 0.8) if is_default or arms < MANY_ARMS else (0.0,):
                scene = Scene(whole, zero, correlation=r)
                yield _Null(f"normal, correlation {r:g}", scene, "none", studies, is_promised=True)
            for kind in ("t3", "skewed"):
                yield _Null(kind, Scene(whole, zero, kind), "none", some)
            few = arms // 9 or 1
            uneven = Scene(whole, zero, spreads=(2.0,) * few + (1.0,) * (arms - few))
            name = f"normal, {few} arm{'s' if few > 1 else ''} with twice the spread"
            yield _Null(name, uneven, "none", some)
            wide = Scene(whole, zero, spreads=(1.5,))
            yield _Null("normal, arms spread 1.5 times the baseline", wide, "none", some)
            dropping = Scene(plan(arms, spending, INTEREST), zero)
            yield _Null("normal, correlation 0", dropping, f"{INTEREST:g}", studies)


def sequential_savings(report: Report) -> list[Bar]:
    """Compare with the best fixed designs; return the bars of the figure."""
    studies = max(100, report.studies // 2)
    table = report.table(
        "Sequential: trainings beside the best fixed design of equal power",
        f"54 arms with harms of 0, 0.3 and 1 point, standard deviation of a training 0.17, "
        f"{studies:,} studies per row; an arm is futile once it lies {DEFAULT.futility:g} standard "
        f"errors ({FEW.futility:g} for 5 arms) below a harm of 0.3. Fixed, same rule: the cheapest "
        "of the designs with 5 to 12 seeds and up to 90 of a shared baseline, judged by this very "
        "rule at one look, that has the same power at 0.3. Fixed, pooled t: the same judged by a "
        "pooled t test with Holm's procedure alone, which has no protection against an arm that "
        "spreads more. Share with its 95 % interval.",
        ("harms", "spending", "interest in", "trainings", "power at 0.3", "power at 1", "error",
         "fixed, same rule", "share", "fixed, pooled t", "share of it"),
    )  # fmt: skip
    bars: list[Bar] = []
    for name, effects in {**MIXES, "5 arms: 3 of 0, one of 0.3, one of 1": FEW_MIX}.items():
        ruled = fixed_designs(effects, studies // 2, same_rule=True, seed=report.seed)
        pooled = fixed_designs(effects, 4 * studies, same_rule=False, seed=report.seed)
        for spending, interest_in in _asked(len(effects)):
            own_plan = plan(len(effects), spending, INTEREST, interest_in)
            found = sequel(Scene(own_plan, effects), studies, report.seed)
            own, other = saving(found, ruled), saving(found, pooled)
            table.rows.append(
                (name, spending, interest_in,
                 f"{found.trainings:.1f} ± {found.trainings_error:.1f}",
                 found.power[0.3], found.power[1.0], found.error,
                 f"{own.fixed:.0f} ({own.design.seeds} seeds, {own.design.baseline_seeds})",
                 f"{own.share:.3f} ({own.low:.3f} to {own.high:.3f})",
                 f"{other.fixed:.0f} ({other.design.seeds} seeds, {other.design.baseline_seeds})",
                 f"{other.share:.3f} ({other.low:.3f} to {other.high:.3f})")
            )  # fmt: skip
            if (spending, interest_in) == (DEFAULT.spending, "worse") and name in MIXES:
                promise = f"at most {SHARE} of the fixed trainings, same rule and power, {name}"
                shown = f"{own.share:.3f} ({own.low:.3f} to {own.high:.3f})"
                report.goals.append(Goal(promise, shown, own.share <= SHARE))
                bars += _bars(name, found, own.fixed, other.fixed)
    return bars


def _asked(arms: int) -> Iterator[tuple[Spending, Literal["worse", "both"]]]:
    """Yield the rules compared, and the side on which a difference is of interest."""
    for spending in SPENDINGS[arms]:
        yield spending, "worse"
    yield Sequential.of(arms).spending, "both"


def _bars(name: str, found: Sequel, ruled: float, pooled: float) -> list[Bar]:
    return [
        Bar(name, "sequential", found.trainings),
        Bar(name, "best fixed, same rule", ruled),
        Bar(name, "best fixed, pooled t", pooled),
    ]


def _words(looks: tuple[int, ...]) -> str:
    return f"{', '.join(str(n) for n in looks[:-1])} and {looks[-1]}"
