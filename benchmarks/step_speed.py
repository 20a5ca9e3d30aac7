"""Images per second of training: our steps beside a textbook loop.

    NASABLATE_DATA=... python -m benchmarks.step_speed [--rounds 7] [--write]
    ... python -m benchmarks.step_speed --networks resnet-20,wrn-16-4 --forms eager,compile
    ... python -m benchmarks.step_speed --device cuda [--write]

Both train the same network on CIFAR-10 images in memory (``cifar10-jpeg``) with SGD, with their
own input. The textbook loop (benchmarks/textbook.py) has a plain network of its own, or the same
modules where benchmarks/plain_nets.py has none.

On the CPU a round is a few steps on one thread, counted in processor time, and the textbook's
`DataLoader` has the number of workers that cost it least in benchmarks/input_speed.py, none before
that was run. With ``--device cuda`` a round is a whole epoch, counted in wall time, in batches of
128, and the number of workers is the fastest of a few, each tried once. ``--write`` keeps the
numbers in benchmarks/results and writes docs/speed.md anew.
"""

import argparse
import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast, get_args

import torch
from torch import nn

from benchmarks.measuring import Form, keep, kept, own_seconds, ratios, spread, take_turns
from benchmarks.plain_nets import pyramidnet, resnet
from benchmarks.speed_page import EPOCH_IMAGES, write_page
from benchmarks.textbook import Pictures, Textbook, loader
from nasablate.blueprint import lower
from nasablate.data import load_train
from nasablate.data.batches import train_batches
from nasablate.data.images import DataInfo, ImageSet, TrainingData
from nasablate.genome import load_genome, load_recipe
from nasablate.genome.data_spec import DataSpec
from nasablate.genome.genome import Genome
from nasablate.nets import build
from nasablate.search.variant import on_data
from nasablate.training.counters import counters_aside
from nasablate.training.job import Form as StepForm
from nasablate.training.network import make_net
from nasablate.training.optimizer import make_optimizer, set_learning_rate
from nasablate.training.stepping import make_step


@dataclass(frozen=True)
class Question:
    """One network and how it is trained."""

    network: str
    plain: Callable[[], nn.Module] | None = None
    """The textbook's own network; None for the same modules."""
    batch: int = 32
    steps: int | None = 2
    """Of a round; None for a whole epoch."""
    goal: float = 1.0
    """The least gain of the form that is the default."""
    most_seconds: float | None = None
    """The goal for an epoch of 50,000 images."""


QUESTIONS = (
    Question("resnet-20", lambda: resnet(3, 16), 128, 3, 1.25),
    Question("pyramidnet-110-a48", lambda: pyramidnet(18, 48), 32, 2, 1.10),
)
GPU_GOALS = {"pyramidnet-110-a48": (3.0, 1.7)}
"""Gain and seconds of an epoch."""
WORKERS = (0, 2, 4, 8, 12)


def main() -> None:
    """Time all networks and print them."""
    arguments = _arguments()
    device = torch.device(arguments.device)
    torch.set_num_threads(1)
    data = load_train(DataSpec(name="cifar10-jpeg"))
    answers: list[dict[str, object]] = []
    for name in arguments.networks.split(","):
        question = _question(name, device)
        answer = _answer(question, data, device, arguments.forms, arguments.rounds)
        answers.append(answer)
    if arguments.write:
        document: dict[str, object] = {"torch": torch.__version__, "answers": answers}
        if device.type == "cuda":
            keep("step-cuda", {**document, "device": torch.cuda.get_device_name(device)})
        else:
            keep("step", {**document, "workers": best_workers()})
        write_page()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    named = ",".join(question.network for question in QUESTIONS)
    parser.add_argument("--networks", default=named, help="presets, with commas")
    parser.add_argument("--forms", help="of eager, compile and graphs, with commas")
    parser.add_argument("--write", action="store_true")
    found = parser.parse_args()
    if found.device == "cuda" and not torch.cuda.is_available():
        parser.error("--device cuda: torch sees no such device here")
    usual = "eager,graphs,compile" if found.device == "cuda" else "eager"
    found.forms = (found.forms or usual).split(",")
    unknown = set(found.forms) - set(get_args(StepForm))
    if unknown or (found.device == "cpu" and "graphs" in found.forms):
        parser.error(f"--forms: {', '.join(found.forms)} cannot be had on {found.device}")
    return found


def _question(name: str, device: torch.device) -> Question:
    known = {question.network: question for question in QUESTIONS}
    question = known.get(name, Question(name))
    if device.type == "cpu":
        return question
    goal, seconds = GPU_GOALS.get(name, (1.0, None))
    return replace(question, batch=128, steps=None, goal=goal, most_seconds=seconds)


def _answer(
    question: Question, data: TrainingData, device: torch.device, names: list[str], rounds: int
) -> dict[str, object]:
    """Let all forms of a question take turns."""
    theirs, workers = _best_rival(question, data, device)
    forms: dict[str, Form] = {"textbook": theirs}
    setup: dict[str, float] = {}
    for name in names:
        label = "nasablate" if name == "eager" else name
        forms[label] = _ours(question, data, device, cast("StepForm", name))
        before = time.perf_counter()
        forms[label]()
        setup[label] = time.perf_counter() - before
    theirs()
    found = take_turns(forms, rounds)
    for label in found:
        gains = ratios(found[label], found["textbook"])
        print(
            f"{question.network}, {label}: {spread(found[label])} images/s, {spread(gains)} times"
        )
        if device.type == "cuda":
            print(
                "  epoch:", spread([EPOCH_IMAGES / rate for rate in found[label]]), "s", flush=True
            )
    return {
        "network": question.network,
        "batch": question.batch,
        "steps": question.steps,
        "goal": question.goal,
        "most_seconds": question.most_seconds,
        "workers": workers,
        "first_round_seconds": setup,
        "rates": found,
    }


def best_workers() -> int:
    """Return the number of workers with the most images per processor second."""
    found = kept("input")
    if found is None:
        return 0
    rates = {name: statistics.median(values) for name, values in found["rates"].items()}
    del rates["nasablate"]
    return int(max(rates, key=lambda name: rates[name]).split(", ")[1].split()[0])


def _best_rival(question: Question, data: TrainingData, device: torch.device) -> tuple[Form, int]:
    if device.type == "cpu":
        return _theirs(question, data, device, best_workers()), best_workers()
    possible = [workers for workers in WORKERS if workers <= (os.cpu_count() or 1)]
    forms = {workers: _theirs(question, data, device, workers) for workers in possible}
    forms[possible[0]]()  # the device is warm before any of them is timed
    rates = {workers: form() for workers, form in forms.items()}
    best = max(rates, key=lambda workers: rates[workers])
    return forms[best], best


def _seconds(device: torch.device) -> float:
    """Return processor seconds on the CPU, wall seconds where a GPU does the work."""
    if device.type == "cpu":
        return own_seconds()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def _ours(question: Question, data: TrainingData, device: torch.device, form: StepForm) -> Form:
    """Return a round of what ``nasablate.training.loop`` does for every step."""
    changes = {"batch_size": question.batch, "execution": form}
    recipe = load_recipe({"recipe": "resnet-cifar", **changes})
    net = make_net(_genome(question.network, data.info), recipe, 0, device).train()
    optimizer = make_optimizer(net, recipe.optimizer)
    step = make_step(net, optimizer, recipe, form, _refuse)
    batches = train_batches(data.train, data.info, recipe.augmentation, question.batch, device)

    def run() -> float:
        loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        num_correct = torch.zeros((), dtype=torch.int64, device=device)
        before, images = _seconds(device), 0
        epoch = batches.epoch(torch.Generator(), torch.Generator())
        if question.steps is not None:
            epoch = itertools.chain([next(epoch)], epoch)  # shuffles, once in hundreds of steps
            before = _seconds(device)
        with counters_aside(net, question.steps or len(batches)):
            for batch in itertools.islice(epoch, question.steps):
                set_learning_rate(optimizer, 0.01)
                for logits, loss in step([batch]):
                    loss_sum += loss.double() * len(batch[1])
                    num_correct += (logits.argmax(1) == batch[1]).sum()
                images += len(batch[1])
        return images / (_seconds(device) - before)

    return run


def _refuse(reason: str) -> None:
    raise RuntimeError(reason)


def _theirs(question: Question, data: TrainingData, device: torch.device, workers: int) -> Form:
    train = data.train
    assert isinstance(train, ImageSet)
    count = len(train) if question.steps is None else question.batch * question.steps
    chosen = Pictures(train.images[:count], train.labels[:count], data.info.mean, data.info.std)
    plain = question.plain or partial(_same_modules, question.network, data.info)
    rival = Textbook(plain(), lr=0.01, device=device.type)

    def run() -> float:
        before = _seconds(device)
        list(rival.train(loader(chosen, question.batch, workers)))
        return count / (_seconds(device) - before)

    return run


def _genome(name: str, info: DataInfo) -> Genome:
    return on_data(load_genome(name), info)


def _same_modules(name: str, info: DataInfo) -> nn.Module:
    blueprint = lower(_genome(name, info))
    if blueprint.auxiliary:
        message = f"{name} has auxiliary classifiers, which the textbook loop does not train"
        raise ValueError(message)
    return build(blueprint)


if __name__ == "__main__":
    main()
