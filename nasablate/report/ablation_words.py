"""The answer of an ablation in sentences."""

from collections.abc import Iterator

from nasablate.analysis.effects import Effect
from nasablate.analysis.paired import ALPHA, Interval, t_interval
from nasablate.analysis.wording import plural
from nasablate.figures.numerals import Mark, number, probability, signed, signed_interval
from nasablate.report.ablation import AblationReport
from nasablate.report.sequential_words import sequential_rule
from nasablate.report.tables import listed, points
from nasablate.search.ablation_result import ArmResult

_RULE = (
    "Better and worse need two things: the paired 95 % t interval excludes zero, and the exact"
    " sign-flip p is at most 0.05 after Holm's correction."
)


MOST_NAMES = 4
"""More undecided arms are counted in the first sentence instead of named."""


def rule(report: AblationReport) -> str:
    """Return what the verdicts need."""
    if report.result.looks is not None:
        return sequential_rule(report.result.looks)
    margin = report.spec.margin
    if margin is None:
        return f"{_RULE} Anything else is undecided, since no margin of equivalence was set."
    return (
        f"{_RULE} Equivalent needs the paired 90 % interval within {points(margin)}, arm by arm,"
        " without a correction for the number of arms. Anything else is undecided."
    )


def headline(report: AblationReport) -> str:
    """Return the answer in one sentence."""
    arms = report.result.arms[1:]
    if not arms:
        return "There is no arm to compare."
    if report.is_open and all(arm.verdict == "undecided" for arm in arms):
        count = _present(report)
        return f"No verdict yet: {count}."
    lacking = [arm for arm in arms if _lacks(arm, report)]
    found: dict[str, list[str]] = {}
    for arm in arms:
        if arm not in lacking:
            found.setdefault(arm.verdict or "undecided", []).append(_quoted(arm.name))
    parts = [
        f"{start}: {listed(found[verdict])}"
        for verdict, start in _starts(report).items()
        if verdict in found
    ]
    if "undecided" in found:
        parts.append(f"undecided: {_named(found['undecided'], len(arms))}")
    if lacking:
        reasons = [f"{_quoted(arm.name)} ({_reason(arm)})" for arm in lacking]
        parts.append(f"{_no_verdict(report)}: {_named(reasons, len(arms))}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _present(report: AblationReport) -> str:
    have = "has" if report.present == 1 else "have"
    return f"{report.present} of {plural(report.wanted, 'replicate')} {have} a result"


def _named(names: list[str], arms: int) -> str:
    return listed(names) if len(names) <= MOST_NAMES else f"{len(names)} of {arms} arms"


def _lacks(arm: ArmResult, report: AblationReport) -> bool:
    """Return whether an arm has no verdict because replicates are missing."""
    judged, looks = arm.judgement, report.result.looks
    if judged is None or judged.verdict != "undecided":
        return False
    if looks is None:
        return judged.n < report.result.seeds
    return arm.look != len(looks.plan.looks)


def _no_verdict(report: AblationReport) -> str:
    return "no verdict yet" if report.is_open else "no verdict"


def _reason(arm: ArmResult) -> str:
    return "no pair of replicates" if arm.judgement is None else arm.judgement.reason


def _starts(report: AblationReport) -> dict[str, str]:
    """Return by verdict what is said before the names of its arms."""
    reference = report.reference
    return {
        "better": f"better than {reference}",
        "worse": f"worse than {reference}",
        "equivalent": f"equivalent to {reference} within {points(report.spec.margin or 0)}",
        "futile": f"futile, no difference of {points(_interest(report))} to be expected",
    }


def _interest(report: AblationReport) -> float:
    looks = report.result.looks
    return 0.0 if looks is None or looks.plan.interest is None else looks.plan.interest


def _quoted(name: str) -> str:
    """Return a name as it can stand in a list."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK}"


def state_sentence(report: AblationReport) -> str:
    """Return how far the study is; empty if nothing is missing."""
    if not report.missing:
        return ""
    counts: dict[str, int] = {}
    for item in report.missing:
        counts[item.short] = counts.get(item.short, 0) + 1
    shown = listed([f"{count} {short}" for short, count in counts.items()])
    text = f"{_present(report)}; {shown}."
    if not report.is_open:
        at = "" if report.result.looks is None else " at their next look"
        return f"{text} Arms that lack a replicate{at} have no verdict."
    return f"{text} The study is not finished: differences and intervals will change."


def arm_sentences(report: AblationReport) -> Iterator[tuple[ArmResult, str]]:
    """Yield every arm but the reference with what is known of it, in a sentence."""
    for arm in report.result.arms[1:]:
        yield arm, _sentence(arm, report)


def factor_sentences(report: AblationReport) -> Iterator[tuple[Mark, str]]:
    """Yield what is known of effects and of the steps of a path, with its mark.

    What is undecided is summed up in one sentence.
    """
    for table in report.result.effects:
        of = "" if table.of == "arms" else f" (of {table.of})"
        for effect in table.effects:
            if effect.finding in {"lowers", "raises"} and effect.estimate is not None:
                size = number(abs(effect.estimate))
                numbers = f"{_ends(effect.interval)}, Holm p {probability(effect.holm_p)}"
                name = _effect_name(effect, report)
                over = ", on average over the other factors" if len(effect.factors) == 1 else ""
                text = f"{name}{of} {effect.finding} the error by {size} points{over} ({numbers})."
                yield effect.finding, text
        for finding, start in (
            ("undecided", "Undecided effects"),
            ("missing", "Effects without a verdict, since replicates are missing"),
        ):
            open_ = [effect.name for effect in table.effects if effect.finding == finding]
            if open_:
                yield "undecided", f"{start}{of}: {listed(open_)}."
    for step in report.result.steps:
        judged = step.judgement
        if judged.verdict in {"better", "worse"} and judged.difference is not None:
            change = f"{signed(judged.difference)} points ({_ends(judged.interval)})"
            yield judged.verdict, f"Adding {step.factor} to {_quoted(step.before)}: {change}."


def _effect_name(effect: Effect, report: AblationReport) -> str:
    present = report.result.arms[0].levels
    pairs = zip(effect.factors, effect.levels, strict=True)
    shown = [f"{factor}={level} instead of {present[factor]}" for factor, level in pairs]
    name = " together with ".join(shown)
    if len(shown) > 1:
        name = f"The interaction of {name}"
    return f"{name}, mixed with {listed(effect.aliases)}," if effect.aliases else name


def _ends(interval: Interval | None) -> str:
    return f"95 % interval {signed_interval(interval)}"


def _sentence(arm: ArmResult, report: AblationReport) -> str:
    judged, reference = arm.judgement, report.result.arms[0]
    name, other = _quoted(arm.name), reference.name
    if _lacks(arm, report):
        text = f"{name} has {_no_verdict(report)}: {_reason(arm)}"
        return f"{text}{_so_far(arm, report)}."
    if judged is None or judged.difference is None:
        return f"{name} cannot be compared with {other}: {_reason(arm)}."
    size, difference = number(abs(judged.difference)), signed(judged.difference)
    match judged.verdict:
        case "better":
            start = f"{name} is better than {other}: its error is {size} points lower"
        case "worse":
            start = f"{name} is worse than {other}: its error is {size} points higher"
        case "equivalent":
            margin = f"within {points(report.spec.margin or 0)}"
            start = f"{name} is equivalent to {other} {margin}: the difference is {difference}"
        case "futile":
            start = f"{name} is futile to train on: the difference is {difference} points"
        case "undecided":
            start = f"{name} is not told apart from {other}: the difference is {difference} points"
    is_told = judged.verdict == "undecided" or arm.look is not None
    why = f"; {judged.reason}" if is_told else ""
    return f"{start} ({', '.join(_numbers(arm, report))}){why}."


def _so_far(arm: ArmResult, report: AblationReport) -> str:
    judged = arm.judgement
    if judged is None or judged.difference is None:
        return ""
    seeds = report.result.seeds
    count = f"{judged.n} of {plural(seeds, 'pair')}"
    if report.result.looks is not None:
        count = plural(judged.n, "seed")
    size = f"{signed(judged.difference)} points"
    return f"; so far it differs from {report.reference} by {size} ({count})"


def _numbers(arm: ArmResult, report: AblationReport) -> Iterator[str]:
    judged = arm.judgement
    assert judged is not None
    if report.result.looks is not None:
        yield f"sequential 95 % interval {signed_interval(judged.interval)}"
        yield plural(judged.n, "seed")
        return
    if judged.verdict == "equivalent":
        reference = report.result.arms[0].errors
        pairs = [error - reference[r] for r, error in arm.errors.items() if r in reference]
        yield f"90 % interval {signed_interval(t_interval(pairs, 1 - 2 * ALPHA))}"
    elif judged.interval is not None:
        yield _ends(judged.interval)
    seeds = report.result.seeds
    count = plural(seeds, "pair")
    yield count if judged.n == seeds else f"{judged.n} of {count}"
    if judged.holm_p is not None:
        yield f"Holm p {probability(judged.holm_p)}"
