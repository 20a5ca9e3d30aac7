"""Training images per processor second: our training step beside a textbook loop.

    NASABLATE_DATA=... python -m benchmarks.step_speed [--rounds 7] [--write]

Both train the same network on CIFAR-10 images in memory (``cifar10-jpeg``) with SGD, with their
own input, on one thread. The textbook loop (benchmarks/textbook.py) has a `DataLoader` with the
number of workers that cost it least in benchmarks/input_speed.py, none before that was run.
``--write`` keeps the numbers in benchmarks/results and writes docs/speed.md anew.
"""

import argparse
import itertools
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.measuring import keep, kept, own_seconds, ratios, spread, take_turns
from benchmarks.plain_nets import pyramidnet, resnet
from benchmarks.speed_page import write_page
from benchmarks.textbook import Pictures, Textbook, loader
from nasablate.data import load_train
from nasablate.data.batches import train_batches
from nasablate.data.images import ImageSet, TrainingData
from nasablate.genome import load_genome, load_recipe
from nasablate.genome.data_spec import DataSpec
from nasablate.training.network import make_net
from nasablate.training.optimizer import make_optimizer, set_learning_rate
from nasablate.training.step import StepRule, train_step


@dataclass(frozen=True)
class Question:
    """One network and how it is trained."""

    network: str
    plain: Callable[[], nn.Module]
    batch: int
    steps: int
    goal: float


QUESTIONS = (
    Question("resnet-20", lambda: resnet(3, 16), 128, 3, 1.25),
    Question("pyramidnet-110-a48", lambda: pyramidnet(18, 48), 32, 2, 1.10),
)


def main() -> None:
    """Time both networks and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = load_train(DataSpec(name="cifar10-jpeg"))
    workers = best_workers()
    answers: list[dict[str, object]] = []
    for question in QUESTIONS:
        forms = {"nasablate": _ours(question, data), "textbook": _theirs(question, data, workers)}
        for form in forms.values():
            form()
        found = take_turns(forms, arguments.rounds)
        gains = ratios(found["nasablate"], found["textbook"])
        print(f"{question.network}: {spread(gains)} times the images per processor second")
        print({name: spread(rates) for name, rates in found.items()}, flush=True)
        answers.append(
            {
                "network": question.network,
                "batch": question.batch,
                "steps": question.steps,
                "goal": question.goal,
                "rates": found,
            }
        )
    if arguments.write:
        keep("step", {"torch": torch.__version__, "workers": workers, "answers": answers})
        write_page()


def best_workers() -> int:
    """Return the number of workers with the most images per processor second."""
    found = kept("input")
    if found is None:
        return 0
    rates = {name: statistics.median(values) for name, values in found["rates"].items()}
    del rates["nasablate"]
    return int(max(rates, key=lambda name: rates[name]).split(", ")[1].split()[0])


def _ours(question: Question, data: TrainingData) -> Callable[[], float]:
    """Return a round of what ``nasablate.training.loop`` does for every step."""
    recipe = load_recipe({"recipe": "resnet-cifar", "batch_size": question.batch})
    device = torch.device("cpu")
    net = make_net(load_genome(question.network), recipe, 0, device).train()
    optimizer = make_optimizer(net, recipe.optimizer)
    rule = StepRule.of(recipe)
    batches = train_batches(data.train, data.info, recipe.augmentation, question.batch, device)

    def run() -> float:
        loss_sum = torch.zeros((), dtype=torch.float64)
        num_correct = torch.zeros((), dtype=torch.int64)
        epoch = batches.epoch(torch.Generator(), torch.Generator())
        first = next(epoch)  # shuffles the whole epoch, once in hundreds of steps
        before, images = own_seconds(), 0
        for batch in itertools.islice(itertools.chain([first], epoch), question.steps):
            set_learning_rate(optimizer, 0.01)
            for logits, loss in train_step(net, optimizer, [batch], rule):
                loss_sum += loss.double() * len(batch[1])
                num_correct += (logits.argmax(1) == batch[1]).sum()
            images += len(batch[1])
        return images / (own_seconds() - before)

    return run


def _theirs(question: Question, data: TrainingData, workers: int) -> Callable[[], float]:
    train = data.train
    assert isinstance(train, ImageSet)
    count = question.batch * question.steps
    chosen = Pictures(train.images[:count], train.labels[:count], data.info.mean, data.info.std)
    rival = Textbook(question.plain(), lr=0.01)

    def run() -> float:
        before = own_seconds()
        list(rival.train(loader(chosen, question.batch, workers)))
        return count / (own_seconds() - before)

    return run


if __name__ == "__main__":
    main()
