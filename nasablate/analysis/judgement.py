"""What a study of several arms comes to: one judgement per arm, in numbers and in words.

The rule is that of ``paired``: better and worse need a paired 95 % t interval without zero and an
exact sign-flip p that stays at most 0.05 after Holm over all arms asked. An arm with a missing
seed is undecided; the family keeps its place for it (as if its p were 1), so the p of the others
can only fall when it arrives, and a verdict given before still stands.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, assert_never

from nasablate.analysis.paired import (
    ALPHA,
    Comparison,
    Interval,
    Verdict,
    compare,
    equivalent,
    holm,
    seeds_needed,
    verdict,
)
from nasablate.analysis.wording import are, numbered, plural

Values = Mapping[int, float]
"""A measured value by replicate; a replicate that failed or is not done is absent."""


Outcome = Verdict | Literal["futile"]
"""``futile`` is said at the looks of a sequential ablation alone (see ``sequential``)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """An arm against the reference."""

    verdict: Outcome
    n: int
    """Pairs, seeds that both have."""
    difference: float | None
    """Mean of arm minus reference, in the unit of the values; None without a pair."""
    interval: Interval | None
    """The paired 95 % t interval, which decides; None below two pairs."""
    p: float | None
    """Two-sided exact sign-flip test."""
    holm_p: float | None
    """The same, adjusted for the number of arms asked."""
    smallest_p: float | None
    """The least p that n pairs can reach."""
    seeds_needed: int
    """The least number of pairs whose exact test can survive Holm over the arms asked."""
    reason: str
    """Why this verdict, in words."""


def judge_arms(
    reference: Values, arms: Mapping[str, Values], *, seeds: int, margin: float | None = None
) -> dict[str, Judgement]:
    """Judge every arm on the replicates 0 to ``seeds`` - 1.

    Args:
        reference: Values of the reference, lower is better.
        arms: Values of every arm that was asked about, by name, those without any too.
        seeds: Replicates that every arm has when the study is complete.
        margin: Two values closer than this count as equivalent; None asks nothing.

    Raises:
        ValueError: a value is not finite, a replicate is not one of the study, or there is no arm.
    """
    _check(reference, arms, seeds)
    pairs = {name: _differences(reference, own, seeds) for name, own in arms.items()}
    found: dict[str, Comparison] = {
        name: compare([0.0] * len(own), own) for name, own in pairs.items() if own
    }
    known = {name: c.p for name, c in found.items() if c.p is not None}
    complete = {name for name, own in pairs.items() if len(own) == seeds}
    adjusted = holm(
        {name: known[name] if name in complete & known.keys() else 1.0 for name in arms}
    )
    needed = seeds_needed(len(arms))
    results: dict[str, Judgement] = {}
    for name in arms:
        comparison = found.get(name)
        holm_p = adjusted[name] if name in complete & known.keys() else None
        judged: Verdict = "undecided"
        if comparison is not None:
            judged = verdict(
                comparison,
                holm_p,
                is_equivalent=margin is not None and equivalent(pairs[name], margin),
                complete=name in complete,
            )
        results[name] = Judgement(
            verdict=judged,
            n=len(pairs[name]),
            difference=None if comparison is None else comparison.difference,
            interval=None if comparison is None else comparison.paired,
            p=known.get(name),
            holm_p=holm_p,
            smallest_p=None if comparison is None else comparison.smallest_p,
            seeds_needed=needed,
            reason=_missing(reference, arms[name], seeds)
            or _reason(judged, comparison, holm_p, _Asked(len(arms), margin)),
        )
    return results


@dataclass(frozen=True, slots=True)
class _Asked:
    arms: int
    margin: float | None


def _check(reference: Values, arms: Mapping[str, Values], seeds: int) -> None:
    if not arms:
        message = "there is no arm to judge"
        raise ValueError(message)
    for name, values in [("reference", reference), *arms.items()]:
        for replicate, value in values.items():
            if not math.isfinite(value) or not 0 <= replicate < seeds:
                message = (
                    f"{name}, replicate {replicate} = {value}: must be a finite value of a "
                    f"replicate from 0 to {seeds - 1}; leave out what failed"
                )
                raise ValueError(message)


def _differences(reference: Values, own: Values, seeds: int) -> list[float]:
    shared = [r for r in range(seeds) if r in reference and r in own]
    return [own[r] - reference[r] for r in shared]


def _missing(reference: Values, own: Values, seeds: int) -> str:
    """Return which replicates are missing; empty if none is."""
    lost = [r for r in range(seeds) if r not in own]
    of_reference = [r for r in range(seeds) if r not in reference and r in own]
    found = [numbered("replicate", lost)] if lost else []
    if of_reference:
        found.append(f"{numbered('replicate', of_reference)} of the reference")
    return f"{' and '.join(found)} {are(len(lost + of_reference))} missing" if found else ""


def _reason(
    judged: Verdict, comparison: Comparison | None, holm_p: float | None, asked: _Asked
) -> str:
    if comparison is None or comparison.paired is None or holm_p is None:
        return "one pair shows no variation; two are the least, more are needed for a verdict"
    after = f"p = {holm_p:.3g} after Holm over {plural(asked.arms, 'arm')}"
    match judged:
        case "better" | "worse":
            return f"the interval excludes zero and {after}"
        case "equivalent":
            return f"the 90 % interval lies within {asked.margin}"
        case "undecided":
            return _undecided(comparison.paired, comparison.n, after, asked.arms)
        case _:
            assert_never(judged)


def _undecided(interval: Interval, n: int, after: str, arms: int) -> str:
    if n < seeds_needed(arms):
        return (
            f"{plural(n, 'pair')} cannot reach p <= {ALPHA} over {plural(arms, 'arm')};"
            f" {seeds_needed(arms)} can"
        )
    if interval.low > 0 or interval.high < 0:
        return f"the interval excludes zero, but {after}"
    return "the interval includes zero"
