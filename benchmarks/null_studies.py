"""What the statistics of ablations promise, beside what simulated studies show.

    python -m benchmarks.null_studies [--sequential] [--studies 10000] [--seed 0] [--json FILE]
                                      [--write]

Of ablations with fixed seeds, or with ``--sequential`` of those that stop early. 10,000 studies
take some minutes on one core. Prints a line PASS or FAIL for each promise and ends
with exit code 1 if one fails; every other number is printed as it is. ``--write`` puts the tables
into docs/statistics.md, between its markers, and draws docs/figures/null-*.svg.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.null_figures import Series, draw_bars, draw_lines
from benchmarks.null_report import Report
from benchmarks.null_sequential import sequential_errors, sequential_savings
from benchmarks.simulated import (
    KINDS,
    Share,
    coverages,
    equivalent_errors,
    family_errors,
    promised_powers,
    sd_coverage,
    unpaired_coverage,
)
from benchmarks.simulated_designs import (
    CELL_NOISE,
    FACTORIALS,
    IMAGE_SCENES,
    image_coverage,
    mcnemar_size,
    recovery,
)
from nasablate.analysis.wording import plural

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- begin: python -m benchmarks.null_studies{} -->", "<!-- end -->"
SEEDS = tuple(range(6, 21))
ARMS = (1, 3, 6, 12)
SYMMETRIC = ("normal", "t3", "skewed trainings")
"""Differences for which the sign-flip test is exact, so that the error is promised."""
POWERS = (
    (6, 1), (7, 3), (8, 1), (8, 6), (10, 3), (10, 12), (12, 6), (14, 12), (16, 12), (17, 12),
    (20, 1), (20, 6),
)  # fmt: skip
Figures = dict[str, str]


def main() -> int:
    """Simulate, print, and write what was asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--studies", type=int, default=10_000, help="at least 100")
    parser.add_argument("--seed", type=int, default=0, help="of all draws")
    parser.add_argument("--sequential", action="store_true", help="what stops early instead")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--write", action="store_true", help="write docs/statistics.md and figures")
    arguments = parser.parse_args()
    if arguments.studies < 100 or arguments.seed < 0:
        parser.error("--studies must be 100 or more, --seed 0 or more")
    option = " --sequential" if arguments.sequential else ""
    simulate = run_sequential if arguments.sequential else run
    report, figures = simulate(arguments.studies, arguments.seed, option)
    print(report.markdown())
    print("\n" + "\n".join(str(goal) for goal in report.goals))
    if arguments.json:
        text = json.dumps(report.document(), indent=1, ensure_ascii=False)
        arguments.json.write_text(f"{text}\n", encoding="utf-8")
    if arguments.write:
        _write(report, figures, BEGIN.format(option))
    return 0 if report.passed else 1


def run(studies: int, seed: int, option: str = "") -> tuple[Report, Figures]:
    """Simulate ablations with fixed seeds; the figures come by file name."""
    report = Report(studies, seed, option)
    figures = {
        "null-family-error.svg": _families(report),
        "null-coverage.svg": _coverage(report),
    }
    for section in (_other_intervals, _equivalence, _power, _effects, _images):
        section(report)
    return report, figures


def run_sequential(studies: int, seed: int, option: str = "") -> tuple[Report, Figures]:
    """Simulate ablations that stop early."""
    report = Report(studies, seed, option)
    sequential_errors(report)
    title = "Trainings of an ablation with 54 arms"
    bars = sequential_savings(report)
    drawn = draw_bars(title, "at equal power for 0.3 points; fewer is better", bars)
    return report, {"null-sequential.svg": drawn}


def _write(report: Report, figures: Figures, begin: str) -> None:
    page = DOCS / "statistics.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(begin)
    tail = rest.partition(END)[2]
    page.write_text(f"{head}{begin}\n\n{report.markdown()}\n\n{END}{tail}", encoding="utf-8")
    for name, drawn in figures.items():
        (DOCS / "figures" / name).write_text(drawn, encoding="utf-8")


def _families(report: Report) -> str:
    table = report.table(
        "Null studies with any arm called better or worse",
        f"{report.studies:,} studies per cell, percent ± standard error. The arms share their "
        "reference (correlation 0.5).",
        ("differences", "seeds", *(f"{n} arm{'s' if n > 1 else ''}" for n in ARMS)),
    )
    found = list(family_errors(report.studies, SEEDS, ARMS, report.seed))
    for kind in KINDS:
        own = [item for item in found if item.kind == kind]
        for n in SEEDS:
            table.rows.append((kind, n, *(item.found for item in own if item.n == n)))
        if kind in SYMMETRIC:
            named = [(f"{item.n} seeds, {plural(item.arms, 'arm')}", item.found) for item in own]
            report.rate(f"family-wise error at most 5 %, 6 to 20 seeds, {kind}", named)
    series = [
        Series(
            kind,
            tuple(
                (item.n, 100 * item.found.value, 196 * item.found.error)
                for item in found
                if item.kind == kind and item.arms == 6
            ),
        )
        for kind in KINDS
    ]
    return draw_lines(
        "Null studies with a wrong call, 6 arms",
        ("seeds", "studies with any arm called, %"),
        series,
        mark=(5.0, "5 %"),
        floor=0.0,
    )


def _coverage(report: Report) -> str:
    table = report.table(
        "Coverage of the intervals of one arm's difference",
        f"{report.studies:,} studies per row (BCa: a fifth), 2,000 resamples, percent ± standard "
        "error. The t 95 % interval decides, the t 90 % interval is that of equivalence, the "
        "expanded percentile interval is that of analysis.bootstrap; plain percentile and BCa show "
        "why.",
        ("differences", "seeds", "t 95 %", "t 90 %", "expanded percentile", "percentile", "BCa"),
    )
    seeds, names = (6, 8, 10, 12, 16, 20), ("t 95 %", "expanded percentile", "percentile")
    normal: list[dict[str, Share]] = []
    for kind in KINDS:
        for n in seeds:
            found = coverages(report.studies, kind, n, report.seed)
            table.rows.append((kind, n, *found.values()))
            if kind == "normal":
                normal.append(found)
    decides = [(f"{n} seeds", own["t 95 %"]) for n, own in zip(seeds, normal, strict=True)]
    report.between(
        "deciding interval covers 94 to 96 %, normal, 8 and more seeds", decides[1:], 0.94, 0.96
    )
    series = [
        Series(
            name,
            tuple(
                (n, 100 * own[name].value, 196 * own[name].error)
                for n, own in zip(seeds, normal, strict=True)
            ),
        )
        for name in names
    ]
    return draw_lines(
        "Coverage of 95 % intervals, normal differences",
        ("seeds", "intervals that hold the truth, %"),
        series,
        mark=(95.0, "95 %"),
        floor=None,
    )


def _other_intervals(report: Report) -> None:
    table = report.table(
        "Coverage of the other intervals of single values",
        f"{report.studies:,} samples per row, normal values, percent ± standard error. The "
        "unpaired interval is too wide where seeds are shared and arms correlated: it is shown to "
        "say what pairing bought.",
        ("interval", "seeds", "coverage"),
    )
    for n in (6, 8, 12, 20):
        for r in (0.0, 0.7):
            found = unpaired_coverage(report.studies, n, r, report.seed)
            table.rows.append((f"unpaired (Welch), correlation {r:g}", n, found))
        found = sd_coverage(report.studies, n, report.seed)
        table.rows.append(("standard deviation of a pilot", n, found))


def _equivalence(report: Report) -> None:
    table = report.table(
        "Arms called equivalent",
        f"{report.studies:,} studies per row, percent ± standard error. The margin is in standard "
        "deviations of a paired difference. Wrong: the arms differ by exactly the margin. "
        "Equivalence is judged arm by arm and not adjusted for their number.",
        ("differences", "seeds", "margin", "wrong, one arm", "wrong, any of 12", "right"),
    )
    single: list[tuple[str, Share]] = []
    for kind in KINDS:
        for n, margin in ((6, 1.0), (10, 1.0), (20, 0.5)):
            found = equivalent_errors(report.studies, kind, n, margin, report.seed)
            table.rows.append((kind, n, margin, *found))
            if kind == "normal":
                single.append((f"{n} seeds", found[0]))
    report.rate("an arm is called equivalent wrongly at most 5 %, normal", single)


def _power(report: Report) -> None:
    table = report.table(
        "Power promised and simulated",
        f"{report.studies:,} studies per row: one arm differs by what is promised to be found in "
        "80 of 100 studies, the others do not; percent ± standard error.",
        ("seeds", "arms", "detectable difference (sd)", "promised", "simulated"),
    )
    named: list[tuple[str, Share]] = []
    for item in promised_powers(report.studies, POWERS, report.seed):
        table.rows.append((item.n, item.arms, f"{item.difference:.3f}", 80, item.found))
        named.append((f"{item.n} seeds, {plural(item.arms, 'arm')}", item.found))
    report.between("promised power of 80 % within 3 points of simulated", named, 0.77, 0.83)


def _effects(report: Report) -> None:
    table = report.table(
        "Planted effects in factorial designs",
        f"{report.studies // 2:,} studies per row of 8 seeds, of 16 cells a third of that; two "
        "effects of single factors, 1.5 and -1 standard deviations of a training, and 1.5 more "
        "where both meet; percent ± standard error. A confounded effect is held against the sum "
        "that it is said to estimate.",
        ("design", "noise", "main effects held", "interactions held", "zero called", "found"),
    )
    named: list[tuple[str, Share]] = []
    for design in FACTORIALS:
        studies = report.studies // (6 if design.startswith("2^(5") else 2)
        for kind in CELL_NOISE:
            found = recovery(design, kind, studies, seed=report.seed)
            shown = [own or "-" for own in (found.interaction, found.null_found)]
            table.rows.append((design, kind, found.main, *shown, found.planted_found))
            if kind != "t3":
                named.append((f"main, {design}, {kind}", found.main))
            if kind != "t3" and found.interaction is not None:
                named.append((f"interactions, {design}, {kind}", found.interaction))
    promise = "intervals of planted main effects and interactions cover 94 to 96 %, normal"
    report.between(promise, named, 0.94, 0.96)


def _images(report: Report) -> None:
    studies = max(50, report.studies // 20)
    table = report.table(
        "Intervals over new seeds and new images",
        f"{studies:,} studies per row of 300 images, 400 resamples; percent ± standard error. The "
        "crossed bootstrap as shown in reports, the plain percentiles it starts from, and "
        "Student's t over seeds, which speaks of these very images and not of new ones.",
        ("what varies", "seeds", "crossed bootstrap", "plain percentiles", "t over seeds"),
    )
    for scene in IMAGE_SCENES:
        for seeds in (3, 5, 10):
            found = image_coverage(scene, seeds, studies, seed=report.seed)
            table.rows.append((scene.name, seeds, found.crossed, found.plain, found.over_seeds))
    size = mcnemar_size(report.studies // 2, seed=report.seed)
    table.rows.append(("McNemar's exact test: p at most 0.05 between equal nets", 1, size, "", ""))


if __name__ == "__main__":
    sys.exit(main())
