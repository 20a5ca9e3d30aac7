"""What is said of the looks of a sequential ablation, in every form of its report."""

from nasablate.analysis.sequential import SequentialPlan
from nasablate.analysis.spread import Spread
from nasablate.analysis.wording import plural
from nasablate.search.looks import Looks, first_bounds


def sequential_rule(looks: Looks) -> str:
    """Return what the verdicts of looks need, and what they hold for."""
    plan = looks.plan
    text = (
        "Sequential verdicts: better and worse need a difference beyond the bound of its look;"
        " over all looks and arms the chance of calling any arm wrongly is at most 5 % (alpha"
        f" spending {plan.spending}, Holm's correction). Differences are corrected for the seeds"
        " drawn, and intervals hold at whatever look they are read."
    )
    if plan.interest is not None:
        worse = " worse" if plan.interest_in == "worse" else ""
        text += (
            f" Futile: {plan.futility:g} standard errors short of {plan.interest:g} points{worse}."
        )
    if plan.margin is not None:
        text += (
            f" Equivalent: within {plan.margin:g} points by two one-sided tests, arm by arm,"
            " without a correction for the number of arms."
        )
    return f"{text} Anything else is undecided."


def bounds_sentence(looks: Looks) -> str:
    """Return when arms are looked at, and how far they must lie from the baseline."""
    plan = looks.plan
    return (
        "Looks, with the bound of each in standard errors (normal scale, for the first arm to be"
        f" called): {looks_text(plan)}; the baseline has {plan.baseline_seeds} seeds."
    )


def looks_text(plan: SequentialPlan) -> str:
    """Return the seeds of every look, and its bound for the first arm to be called."""
    pairs = zip(plan.looks, first_bounds(plan), strict=True)
    return ", ".join(f"{seeds}: {bound:.2f}" for seeds, bound in pairs)


def spread_sentence(looks: Looks) -> str:
    """Return the spread that the last look worked with; empty before the first."""
    spread = looks.state.spread
    if spread is None:
        return ""
    return (
        f"Spread at look {looks.state.looks}: standard deviation {spread.sd:.3g} points over seeds"
        f" with {spread.freedom} degrees of freedom; correlation of two arms"
        f" {spread.correlation:.2f}{_differ(spread)}."
    )


def _differ(spread: Spread) -> str:
    if spread.prior_freedom is None:
        return ""
    return f"; spreads of arms differ as with {spread.prior_freedom:g} degrees of freedom"


def trainings_sentence(looks: Looks, done: int) -> str:
    """Return how many trainings the looks took, of how many."""
    most = looks.most_trainings
    return f"{plural(done, 'training')} so far; {most} if no arm stops before the last look."
