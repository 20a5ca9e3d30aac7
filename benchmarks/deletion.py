"""Unit deletion with shared beginnings beside one whole pass per deletion, in processor time.

    python -m benchmarks.deletion [--rounds 5] [--images 16] [--only pairs] [--write]
    python -m benchmarks.deletion --page

Every round runs all forms on the same images, in alternating order, on one thread; ratios are taken
within a round, so that other work on the machine disturbs them little. The logits of all forms are
compared. ``--only`` times the questions with these words, and keeps the others' numbers if they
were measured on the same machine. ``--write`` keeps the numbers in
benchmarks/results/deletion.json and writes docs/deletion-speed.md from them; ``--page`` writes the
page anew from the numbers kept.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nasablate.blueprint import lower
from nasablate.genome import load_genome
from nasablate.nets import Net, build, initialize
from nasablate.training.deletion.cases import (
    intact_case,
    pair_deletions,
    possible_units,
    single_deletions,
)
from nasablate.training.deletion.chains import Chain, intact, scaled
from nasablate.training.deletion.evaluation import evaluate_chains, evaluate_naively
from nasablate.training.deletion.memory import needed_bytes
from nasablate.training.deletion.results import ChainResults
from nasablate.training.deletion.tree import grow, naive_work, shared_work

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = ROOT / "benchmarks" / "results" / "deletion.json"
PAGE = ROOT / "docs" / "deletion-speed.md"
FORMS = ("naive", "depth", "growing")
DEEP = ("resnet-110", "pyramidnet-110-a48")
GPU_TOLERANCE = 1e-4
"""Of the largest logit; what tests/training/deletion/test_evaluation.py allows."""


@dataclass(frozen=True)
class Question:
    """Chains over one network, and on how many images they are timed."""

    network: str
    what: str
    chains: list[Chain]
    images: int
    rounds: int


@dataclass(frozen=True)
class Answer:
    """What one question took; times in processor seconds per round."""

    network: str
    what: str
    chains: int
    images: int
    naive_macs: int
    """Per image."""
    shared_macs: int
    """Per image."""
    depth_bytes: int
    """Activations at the worst moment, by the estimate."""
    growing_bytes: int
    seconds: dict[str, list[float]]
    depth_logits_equal: bool
    """Bit for bit with those of separate passes."""
    growing_difference: float
    """Largest difference of a logit, as a share of the largest logit."""


@dataclass(frozen=True)
class Counted:
    """What the deletion of all pairs of units costs, counted."""

    network: str
    pairs: int
    naive_macs: int
    shared_macs: int


def main() -> None:
    """Time all questions, print them, and keep them if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=16, help="per batch and network")
    parser.add_argument("--only", default="", help="words of the questions to time")
    parser.add_argument("--write", action="store_true", help="keep the numbers and write the page")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    arguments = parser.parse_args()
    if arguments.page:
        PAGE.write_text(kept_page(), encoding="utf-8")
        return
    torch.set_num_threads(1)
    machine = _machine()
    answers = [
        _kept(question, machine) if arguments.only not in question.what else _ask(question)
        for question in _questions(arguments.images, arguments.rounds)
    ]
    counted = [_all_pairs(network) for network in DEEP]
    page = _page(machine, answers, counted)
    print(page)
    if arguments.write:
        document = {
            "machine": machine,
            "answers": [asdict(answer) for answer in answers],
            "all_pairs": [asdict(found) for found in counted],
        }
        NUMBERS.parent.mkdir(exist_ok=True)
        NUMBERS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        PAGE.write_text(page, encoding="utf-8")


def kept_page() -> str:
    """Return the page of the numbers kept."""
    document = json.loads(NUMBERS.read_text(encoding="utf-8"))
    return _page(
        document["machine"],
        [Answer(**answer) for answer in document["answers"]],
        [Counted(**found) for found in document["all_pairs"]],
    )


def _kept(question: Question, machine: dict[str, str | int]) -> Answer:
    """Return what was measured of a question before."""
    document = json.loads(NUMBERS.read_text(encoding="utf-8"))
    if document["machine"] != machine:
        raise SystemExit("the other numbers are of another machine: time all questions")
    for answer in document["answers"]:
        if (answer["network"], answer["what"]) == (question.network, question.what):
            return Answer(**answer)
    raise SystemExit(f"{question.network}, {question.what} has no number yet: time all questions")


def _all_pairs(network: str) -> Counted:
    """Count the multiply-adds of all pairs; timing them takes minutes."""
    blueprint = lower(load_genome(network))
    chains = [case.chain for case in (intact_case(blueprint), *pair_deletions(blueprint))]
    naive, shared = naive_work(blueprint, chains), shared_work(blueprint, chains)
    return Counted(network, len(chains) - 1, naive.macs, shared.macs)


def _questions(images: int, rounds: int) -> list[Question]:
    return [
        _singles("resnet-20", 4 * images, rounds),
        _singles("resnet-110", images, rounds),
        _singles("pyramidnet-110-a48", images, rounds),
        *(_pairs(network, 2, max(1, images // 4), rounds) for network in DEEP),
    ]


def _singles(network: str, images: int, rounds: int) -> Question:
    blueprint = lower(load_genome(network))
    chains = [case.chain for case in (intact_case(blueprint), *single_deletions(blueprint))]
    return Question(network, "every unit by itself", chains, images, rounds)


def _pairs(network: str, every: int, images: int, rounds: int) -> Question:
    blueprint = lower(load_genome(network))
    units = possible_units(blueprint)[every // 2 :: every]
    whole = intact(blueprint)
    chains = [whole, *(scaled(whole, pair) for pair in itertools.combinations(units, 2))]
    return Question(network, f"pairs among 1 unit in {every}", chains, images, rounds)


def _ask(question: Question) -> Answer:
    net = _network(question.network)
    batch = _images(net, question.images)
    seconds: dict[str, list[float]] = {form: [] for form in FORMS}
    results: dict[str, ChainResults] = {}
    runs = {form: _runner(net, question.chains, batch, form) for form in FORMS}
    with torch.inference_mode():
        net(batch[0])
    for number in range(question.rounds):
        for form in FORMS if number % 2 == 0 else reversed(FORMS):
            start = time.process_time()
            results[form] = runs[form]()
            seconds[form].append(time.process_time() - start)
    logits = {form: _logits(results[form]) for form in FORMS}
    difference = np.abs(logits["growing"] - logits["naive"]).max() / np.abs(logits["naive"]).max()
    blueprint, root = net.blueprint, grow(question.chains)
    return Answer(
        network=question.network,
        what=question.what,
        chains=len(question.chains),
        images=question.images,
        naive_macs=naive_work(blueprint, question.chains).macs,
        shared_macs=shared_work(blueprint, question.chains).macs,
        depth_bytes=needed_bytes(blueprint, root, question.images, "depth"),
        growing_bytes=needed_bytes(blueprint, root, question.images, "growing"),
        seconds=seconds,
        depth_logits_equal=bool((logits["depth"] == logits["naive"]).all()),
        growing_difference=float(difference),
    )


def _runner(
    net: Net, chains: list[Chain], batch: tuple[Tensor, Tensor], form: str
) -> Callable[[], ChainResults]:
    if form == "naive":
        return lambda: evaluate_naively(net, chains, [batch], keep_logits=True)
    chosen = "depth" if form == "depth" else "growing"
    return lambda: evaluate_chains(net, chains, [batch], form=chosen, keep_logits=True)


def _logits(results: ChainResults) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    assert results.logits is not None
    return results.logits


def _network(name: str) -> Net:
    """Return a network with random weights; times do not depend on them."""
    net = build(lower(load_genome(name)))
    initialize(net, "kaiming_fan_out", 0)
    net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return net.eval()


def _images(net: Net, count: int) -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    images = torch.randn(count, *net.blueprint.input, generator=source)
    labels = torch.randint(net.blueprint.output[0], (count,), generator=source)
    return images.to(memory_format=torch.channels_last), labels


def _machine() -> dict[str, str | int]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _page(machine: dict[str, str | int], answers: list[Answer], counted: list[Counted]) -> str:
    heads = (
        "network", "deleted", "chains", "images", "naive s", "depth s", "depth, times fewer",
        "by MACs", "growing, times fewer", "MB depth, growing",
    )  # fmt: skip
    rows = "\n".join(_row(answer) for answer in answers)
    equal = all(answer.depth_logits_equal for answer in answers)
    worst = max(answer.growing_difference for answer in answers)
    rounds = " or ".join(sorted({str(len(answer.seconds["naive"])) for answer in answers}))
    all_pairs = " and ".join(
        f"{found.naive_macs / found.shared_macs:.2f} times less in {found.network}"
        for found in counted
    )
    pairs = f"{counted[0].pairs:,}"
    return f"""# Speed of unit deletion

Written by `python -m benchmarks.deletion --write`; do not edit. The numbers of every round are in
`benchmarks/results/deletion.json`.

Processor seconds of one thread ({machine["processor"]}, torch {machine["torch"]}), {rounds} rounds,
median (least to most), the intact network included. Image batches are the outer loop. *Naive* is
one whole pass per chain and batch; *depth* runs every distinct beginning of the chains once, so
that deleting each of L units costs one pass and L suffixes; *growing* does so for all chains in one
batch, for devices that are slow with small ones. "Times fewer" is naive over the other within a
round; "by MACs" is what counting multiply-adds promises; MB are the activations of the batch at the
worst moment, by the estimate that the choice of a batch size rests on.

| {" | ".join(heads)} |
{"|---" * len(heads)}|
{rows}

Logits of *depth* equal those of separate passes bit for bit: {"yes" if equal else "NO"}. Those of
*growing* differ by at most {worst:.1e} of the largest logit.

Pairs gain more the more there are, since more of them begin alike. Counted in multiply-adds, all
{pairs} cost {all_pairs}
than separate passes without the two units.

On a GPU the *growing* form runs. A test compares it with the processor and allows differences of
{GPU_TOLERANCE:g} of the largest logit; it runs where there is a GPU. GPU times are not measured.
"""


def _row(answer: Answer) -> str:
    naive, depth = answer.seconds["naive"], answer.seconds["depth"]
    growing = answer.seconds["growing"]
    cells = [
        answer.network,
        answer.what,
        str(answer.chains),
        str(answer.images),
        _spread(naive),
        _spread(depth),
        _spread(_ratios(naive, depth)),
        f"{answer.naive_macs / answer.shared_macs:.2f}",
        _spread(_ratios(naive, growing)),
        f"{answer.depth_bytes / 1e6:.0f}, {answer.growing_bytes / 1e6:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _ratios(naive: list[float], other: list[float]) -> list[float]:
    return [a / b for a, b in zip(naive, other, strict=True)]


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
