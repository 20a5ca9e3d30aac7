"""The plan of an ablation for people: arms, differences, cost, and whether it can answer."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nasablate.cli.output import format_table, plural

if TYPE_CHECKING:
    from nasablate.analysis.expected import Expected
    from nasablate.analysis.fractional import Fraction
    from nasablate.search.ablation_plan import AblationPlan
    from nasablate.search.detectability import Detectable
    from nasablate.search.looks_plan import LooksPlan

_LINE = 116
_MOST_ALIASES = 30


def ablation_plan_text(plan: "AblationPlan") -> str:
    """Return the plan as text."""
    return "\n".join(_lines(plan))


def _lines(plan: "AblationPlan") -> Iterator[str]:
    spec, data = plan.spec, plan.data
    low, high = plan.epochs
    epochs = plural(low, "epoch") if low == high else f"{low} to {high} epochs"
    yield f"ablation {spec.name}: {spec.question}".rstrip(": ")
    yield (
        f"  data      {data.name}: {data.num_train:,} training, judged on {plan.num_judged:,} "
        f"{spec.evaluate} images"
    )
    if plan.looks is None:
        yield (
            f"  design    {spec.design}: {plural(len(plan.arms.arms), 'arm')} x "
            f"{plural(spec.seeds, 'seed')} = {plural(plan.num_trials, 'training')} of {epochs}"
        )
        yield from _seed_lines(plan)
    else:
        yield from looks_plan_lines(plan, plan.looks, epochs)
    yield from _power_lines(plan)
    yield from _cost_lines(plan)
    yield ""
    yield _arm_table(plan)
    yield from _arm_lines(plan)
    if plan.fraction is not None:
        yield from fraction_lines(plan.fraction)
    yield from (f"warning: {warning}" for warning in plan.warnings)


def _seed_lines(plan: "AblationPlan") -> Iterator[str]:
    from nasablate.analysis.paired import smallest_p

    seeds, needed = plan.spec.seeds, plan.needed
    others = len(plan.arms.arms) - 1
    text = f"{needed['arms']} can survive Holm over {plural(others, 'arm')}"
    if "effects" in needed:
        text += f", {needed['effects']} over the effects"
    yield f"  seeds     smallest p of {plural(seeds, 'pair')} {smallest_p(seeds):.4g}; {text}"


def _power_lines(plan: "AblationPlan") -> Iterator[str]:
    if plan.noise is not None:
        yield from wrapped(
            f"  pilot     a difference varies by {plan.noise.sd:.3g} points ({plan.noise.source})"
        )
    for found in plan.detectable:
        yield from wrapped(f"  power     80 % to find in an {found.what}: {_size(plan, found)}")


def looks_plan_lines(plan: "AblationPlan", looks: "LooksPlan", epochs: str) -> Iterator[str]:
    """Yield when a sequential ablation looks, and how many trainings it is likely to take."""
    from nasablate.report.sequential_words import looks_text

    own = looks.plan
    yield (
        f"  design    {plan.spec.design}, sequential: {plural(len(own.arms), 'arm')} of up to "
        f"{plural(own.looks[-1], 'seed')}, the baseline {own.baseline_seeds}; at most "
        f"{looks.most_trainings} trainings of {epochs}"
    )
    yield from wrapped(f"  looks     seeds and bound in standard errors: {looks_text(own)}")
    yield from (line for text in _expected_texts(plan, looks) for line in wrapped(text))


def _expected_texts(plan: "AblationPlan", looks: "LooksPlan") -> Iterator[str]:
    from nasablate.search.timing import duration_text

    def takes(found: "Expected") -> str:
        text = f"{found.trainings:.0f} trainings (+- {found.error:.1g})"
        if plan.cost is not None:
            share = found.trainings / looks.most_trainings
            text += f", {duration_text(plan.cost.hours * share)}"
        return text

    if looks.null is None:
        yield "  expected  how many trainings it takes needs a pilot: {sd: ...}"
        return
    yield f"  expected  without effects {takes(looks.null)}, {looks.null.called:.1%} of arms called"
    worst, interest = looks.of_interest, looks.plan.interest
    if worst is None or interest is None:
        return
    yield (
        f"            every arm worse by {interest:g} points: {takes(worst)}, "
        f"{worst.called:.0%} of arms found"
    )
    if looks.fixed_seeds is None:
        yield "            fixed seeds would need over 1,000 for 80 % power at that difference"
        return
    yield (
        f"            with fixed seeds, 80 % power at that difference takes {looks.fixed_seeds} of "
        f"every arm, {looks.fixed_trainings} trainings"
    )


def _size(plan: "AblationPlan", found: "Detectable") -> str:
    if found.difference is None:
        text = "nothing, whatever its size"
    elif plan.noise is None:
        text = f"{found.difference:.2f} {found.unit}; a pilot says how large that is"
    else:
        text = f"{found.difference:.2f} points"
    if found.low is not None and found.high is not None:
        text += f" ({found.low:.2f} to {found.high:.2f}, as sure as the pilot is)"
    if plan.spec.margin is not None and plan.noise is not None:
        needed = found.seeds_for_margin
        seeds = "over 1,000 seeds" if needed is None else plural(needed, "seed")
        text += f"; the margin of {plan.spec.margin:g} takes {seeds}"
    return text


def _cost_lines(plan: "AblationPlan") -> Iterator[str]:
    from nasablate.search.ablation_cost import bytes_text
    from nasablate.search.timing import duration_text, untimed_text

    if plan.missing:
        yield from wrapped(f"  time      {untimed_text(plan.missing)}")
    if plan.cost is not None:
        times = [f"{found.step_seconds * 1e3:.0f}" for found in plan.cost.classes]
        yield (
            f"  time      {_about(plan)} {duration_text(plan.cost.hours)} on this machine, "
            f"{plan.cost.concurrent} at once (ms per step: {', '.join(times)})"
        )
    yield f"  disk      about {bytes_text(plan.disk_bytes)}"


def _about(plan: "AblationPlan") -> str:
    return "about" if plan.looks is None else "at most about"


def _arm_table(plan: "AblationPlan") -> str:
    from nasablate.search.timing import duration_text

    reference = plan.arms.reference.variant.cost
    headers = ["arm", "params", "", "macs", ""]
    rows: list[list[object]] = []
    for arm in plan.arms.arms:
        own = arm.variant.cost
        row: list[object] = [
            arm.name,
            f"{own.params:,}",
            _off(own.params, reference.params),
            f"{own.macs:,}",
            _off(own.macs, reference.macs),
        ]
        if plan.cost is not None:
            row.append(duration_text(plan.cost.arm_hours[arm.name]))
        rows.append(row)
    if plan.cost is not None:
        headers.append("one training")
    return textwrap.indent(format_table(headers, rows), "  ")


def _off(count: int, reference: int) -> str:
    return "" if count == reference else f"{count / max(1, reference) - 1:+.2%}"


def _arm_lines(plan: "AblationPlan") -> Iterator[str]:
    """Yield what is worth knowing of single arms, below the table."""
    matched = {
        arm.name: arm.matching.text
        for arm in plan.arms.arms[1:]
        if arm.matching is not None and arm.matching.is_tried
    }
    differences = plan.levels or plan.differences
    found = [
        *remarks(matched),
        *remarks({name: found.text for name, found in differences.items()}, "also differs in: "),
    ]
    if found:
        yield ""
        yield from found


def remarks(texts: Mapping[str, str], before: str = "") -> Iterator[str]:
    """Yield a line for every text, with all that it is said of.

    >>> for line in remarks({"a": "macs +1%", "b": "", "c": "macs +1%", "d": "macs +2%"}, "also: "):
    ...     print(line)
      also: macs +1%, in 2 arms:
          a; c
      d: also: macs +2%
    """
    names: dict[str, list[str]] = {}
    for name, text in texts.items():
        if text:
            names.setdefault(text, []).append(name)
    for text, found in names.items():
        if len(found) == 1:
            yield from wrapped(f"  {found[0]}: {before}{text}")
        else:
            yield from wrapped(f"  {before}{text}, in {len(found)} arms:")
            yield from wrapped(f"      {'; '.join(found)}")


def wrapped(line: str) -> list[str]:
    """Return a line in pieces that fit, the later ones indented."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(
        line, _LINE, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def fraction_lines(fraction: "Fraction") -> Iterator[str]:
    """Yield the resolution of a fraction, its generators, and what it cannot tell apart."""
    from nasablate.search.ablation_tables import alias_lines

    yield ""
    runs, every = len(fraction.runs), 2 ** len(fraction.factors)
    if fraction.resolution is None:
        yield f"all {every} combinations: nothing is mixed"
        return
    made = ", ".join(f"{name} = {word}" for name, word in fraction.generators.items())
    yield from wrapped(
        f"resolution {fraction.resolution}: {runs} of {every} combinations; generators {made}"
    )
    lines = alias_lines(fraction)
    if not lines:
        yield "no main effect and no interaction of two factors is mixed with another"
        return
    yield "cannot be told apart (what is measured is their sum, with the signs shown):"
    for line in lines[:_MOST_ALIASES]:
        yield from wrapped(f"  {line}")
    if len(lines) > _MOST_ALIASES:
        yield f"  and {len(lines) - _MOST_ALIASES} more; --json has all"
