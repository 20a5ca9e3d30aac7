"""Writes docs/speed.md from the numbers in benchmarks/results.

python -m benchmarks.speed_page
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import kept, machine_text, ratios, spread

EPOCH_IMAGES = 50_000
"""Training images of CIFAR-10."""
PAGE = Path(__file__).resolve().parent.parent / "docs" / "speed.md"
Numbers = Mapping[str, Any]

HEAD = """# Speed

Written by the commands below with `--write`; do not edit (`python -m benchmarks.speed_page`
writes it anew from the numbers kept). Every number is processor time (user and system, of all
processes that take part) unless it says otherwise, since the machine was shared; it is a median
with its range over the rounds. In a round all forms take turns, in an order that alternates, and
a ratio is taken within a round. All rounds are in `benchmarks/results/`. The speed of unit
deletion has [its own page](deletion-speed.md).
"""


def write_page() -> None:
    """Write the page from the numbers kept."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page from the numbers kept."""
    parts = [HEAD]
    for title, name, command, text in SECTIONS:
        found = kept(name)
        parts.append(f"## {title}\n\n`python -m benchmarks.{command}`\n")
        if found is None:
            parts.append("Not measured.\n")
            parts += [f"{GOALS[name]}\n"] if name in GOALS else []
            continue
        parts.append(text(found))
        parts.append(f"{machine_text(found['machine'])}.\n")
    return "\n".join(parts)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def verdict(
    values: Sequence[float], *, least: float | None = None, most: float | None = None
) -> str:
    """Say whether the median keeps a goal.

    >>> verdict([1.0, 3.0, 2.0], least=1.5)
    'at least 1.5: kept'
    """
    median = statistics.median(values)
    if least is not None:
        return f"at least {least:g}: {'kept' if median >= least else 'MISSED'}"
    assert most is not None
    return f"at most {most:g}: {'kept' if median <= most else 'MISSED'}"


def _input(found: Numbers) -> str:
    rates: dict[str, list[float]] = found["rates"]
    ours = rates["nasablate"]
    theirs = [name for name in rates if name != "nasablate"]
    best = max(theirs, key=lambda name: statistics.median(rates[name]))
    rows = [["nasablate", spread(ours), "", ""]]
    for name in theirs:
        gains = ratios(ours, rates[name])
        goal = verdict(gains, least=10) if name == best else ""
        rows.append([name, spread(rates[name]), spread(gains), goal])
    return f"""Random crops and flips of CIFAR-10 images in memory, normalised, in batches of
{found["batch"]}; {len(ours)} rounds, one thread, torch {found["torch"]}. The loader handles one
PIL image at a time, as torchvision's transforms do; its goal is against the number of workers
that is best for it.

{table(["input", "images per second", "times ours", "goal"], rows)}"""


def _step(found: Numbers) -> str:
    rows: list[list[str]] = []
    for answer in found["answers"]:
        theirs = answer["rates"]["textbook"]
        for form, ours in _our_rates(answer).items():
            gains = ratios(ours, theirs)
            usual = form == "nasablate"
            rows.append(
                [
                    answer["network"] if usual else f"{answer['network']}, {form}",
                    str(answer["batch"]),
                    str(len(ours)),
                    spread(ours),
                    spread(theirs),
                    spread(gains),
                    verdict(gains, least=answer["goal"]) if usual else "",
                ]
            )
    heads = ["network", "batch", "rounds", "ours, images/s", "textbook, images/s", "gain", "goal"]
    return f"""Whole training steps with their input, one thread, torch {found["torch"]}. The
textbook loop (`benchmarks/textbook.py`) has a plain network, PIL augmentation in a `DataLoader`
with {found["workers"]} workers (the best for it above), torch's SGD as it comes, and reads loss and
accuracy at every step.

{table(heads, rows)}"""


def _our_rates(answer: Numbers) -> dict[str, list[float]]:
    return {form: rates for form, rates in answer["rates"].items() if form != "textbook"}


def _gpu_step(found: Numbers) -> str:
    rows: list[list[str]] = []
    for answer in found["answers"]:
        theirs, most = answer["rates"]["textbook"], answer["most_seconds"]
        for form, ours in _our_rates(answer).items():
            gains, seconds = ratios(ours, theirs), [EPOCH_IMAGES / rate for rate in ours]
            usual = form == "graphs"
            rows.append(
                [
                    answer["network"],
                    "eager" if form == "nasablate" else form,
                    spread(ours),
                    f"{spread(theirs)}, {answer['workers']} workers",
                    spread(gains),
                    verdict(gains, least=answer["goal"]) if usual else "",
                    spread(seconds),
                    verdict(seconds, most=most) if usual and most else "",
                ]
            )
    heads = ["network", "form", "ours, images/s", "textbook, images/s", "gain", "goal"]
    heads += ["epoch, s", "goal, s"]
    answer = found["answers"][0]
    return f"""Whole epochs in wall time on one {found["device"]}, in batches of {answer["batch"]},
{len(answer["rates"]["textbook"])} rounds, torch {found["torch"]}; an epoch has {EPOCH_IMAGES:,}
images. What compiling and recording take is in a round before. The goals are those of `graphs`,
which is the default there.

{table(heads, rows)}"""


def _start(found: Numbers) -> str:
    seconds: dict[str, list[float]] = found["seconds"]
    bare = seconds["python -c pass"]
    goals = {"nasablate --help": 25, "nasablate describe resnet-20": 40}
    rows: list[list[str]] = []
    for name, values in seconds.items():
        times = ratios(values, bare)
        goal = verdict(times, most=goals[name]) if name in goals else ""
        rows.append([f"`{name}`", spread(values), spread(times), goal])
    return f"""{len(bare)} rounds; byte code is kept between them, as with an installed package.

{table(["command", "seconds", "times a bare Python", "goal"], rows)}"""


def _count(found: Numbers) -> str:
    parts = [
        """From plain data to exact parameters and multiply-adds, beside counters of a torch module,
which is built outside their time.
"""
    ]
    for race in found["races"]:
        ours = race["seconds"]["nasablate"]
        rows = [
            [
                name,
                spread([1e3 * value for value in values]),
                spread(ratios(values, ours)),
                race["macs"][name],
            ]
            for name, values in race["seconds"].items()
        ]
        heads = ["counter", "milliseconds a genome", "times ours", "MACs against ours"]
        rate = f"{1 / statistics.median(ours):,.0f} genomes a second and core"
        parts.append(f"{race['title']}, {len(ours)} rounds: {rate}.\n\n{table(heads, rows)}")
    if found["absent"]:
        parts.append(f"Not installed, so left out: {', '.join(found['absent'])}.\n")
    return "\n".join(parts)


def _storage(found: Numbers) -> str:
    seconds: dict[str, list[float]] = found["seconds"]
    report = seconds["Optuna's report(), our database"]
    rows: list[list[str]] = []
    for name, values in seconds.items():
        gains = ratios(report, values)
        goal = verdict(gains, least=10) if name.startswith("live") else ""
        rows.append([name, spread([1e3 * value for value in values]), spread(gains), goal])
    rounds = f"{found['steps']} steps a round, {len(report)} rounds"
    return f"""SQLite, {rounds}, Optuna {found["optuna"]}.
A live step is one that `record: {{every_steps: N}}` asks for, two numbers: a running trial stores
each epoch with its steps in one transaction, and the epoch's own row is counted in. Epochs by
themselves, of six numbers, are written one by one, so that none is lost; imported ones at once.

{table(["form", "milliseconds a step", "times cheaper than report()", "goal"], rows)}"""


def _orchestration(found: Numbers) -> str:
    rows: list[list[str]] = []
    for kind, label in (("processor", "processor"), ("wall", "wall")):
        ours = found["seconds"][kind]["nasablate"]
        bare = found["seconds"][kind]["bare Ray Tune"]
        times = ratios(ours, bare)
        share = [value / 60 * 100 for value in ours]
        shares = f"{spread(share)} %"
        rows.append(
            [
                label,
                spread([1e3 * value for value in ours]),
                spread([1e3 * value for value in bare]),
                spread(times),
                verdict(times, most=2.5) if kind == "processor" else "",
                shares,
                verdict(share, most=1),
            ]
        )
    heads = ["time", "ours, ms", "bare, ms", "times bare", "goal", "of 60 s", "goal, %"]
    rounds = len(found["seconds"]["wall"]["nasablate"])
    return f"""A trial that does nothing, in steady state (trials {found["skip"]} to
{found["trials"]} of a run, {found["cpus"]} at once, {rounds} rounds, Ray {found["ray"]}).
Bare Tune has a random search of its own, reused actors and no database; ours proposes, refuses
repetitions, fences attempts and leaves records, files and manifests. The processor time is that
of the driver and all
of Ray. The share is of a trial that trains for a minute. Wall
times depend on what else the machine does, and those of bare Tune hold waits that its processor
time does not and that are not explained: its goal is judged by processor time alone.

{table(heads, rows)}"""


def _packing(found: Numbers) -> str:
    rows = [
        [str(answer["trials"]), spread(answer["rates"]), spread(answer["gains"])]
        for answer in found["answers"]
    ]
    return f"""{found["network"]} in batches of {found["batch"]} on {found["device"]}, images
per wall second of all trials together, {len(found["answers"][0]["rates"])} rounds.

{table(["trials at once", "images per second", "times one trial"], rows)}"""


def _equivalence(found: Numbers) -> str:
    return f"""{found["network"]}, {found["images"]:,} training images of `cifar10-jpeg`,
{found["epochs"]} epochs, {found["pairs"]} pairs of seeds: ours minus textbook is
{found["difference"]:+.2f} points of validation error, 90 % interval {found["low"]:+.2f} to
{found["high"]:+.2f}; two one-sided tests within 1 point: p = {found["p"]:.4f}, {found["verdict"]}.
"""


GOALS = {
    "step-cuda": """Goals: `pyramidnet-110-a48` in batches of 128 at least 3 times the textbook
loop, and an epoch of 50,000 images in at most 1.7 s on an H200.""",
}
"""Said of what was not measured."""

SECTIONS: tuple[tuple[str, str, str, Callable[[Numbers], str]], ...] = (
    ("Input", "input", "input_speed --write", _input),
    ("Training step", "step", "step_speed --write", _step),
    ("Training step on a GPU", "step-cuda", "step_speed --device cuda --write", _gpu_step),
    (
        "The same result",
        "equivalence",
        "equivalence --images 10000 --epochs 6 --write",
        _equivalence,
    ),
    ("Start of the command line", "start", "start_speed --write", _start),
    ("Counting", "count", "count_speed --write", _count),
    ("Storage", "storage", "storage_speed --write", _storage),
    ("Orchestration", "orchestration", "orchestration_speed --write", _orchestration),
    ("Several trials on one GPU", "packing", "packing --device cuda --write", _packing),
)


if __name__ == "__main__":
    write_page()
