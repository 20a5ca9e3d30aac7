"""Training images per processor second: our batches beside a PIL `DataLoader`.

    NASABLATE_DATA=... python -m benchmarks.input_speed [--rounds 9] [--write]

Both shuffle, pad, crop, flip and normalise CIFAR-10 images that are in memory (``cifar10-jpeg``),
in batches of 128, on one thread. The loader runs with 0, 1 and 2 workers, whose processor time
counts. ``--write`` keeps the numbers in benchmarks/results and writes docs/speed.md anew.
"""

import argparse
from collections.abc import Callable

import torch

from benchmarks.measuring import keep, own_seconds, ratios, spread, take_turns
from benchmarks.speed_page import write_page
from benchmarks.textbook import Pictures, loader
from nasablate.data import load_train
from nasablate.data.batches import train_batches
from nasablate.data.images import ImageSet
from nasablate.genome.augmentation import Augmentation
from nasablate.genome.data_spec import DataSpec

BATCH = 128
OURS, WORKERS = "nasablate", (0, 1, 2)


def main() -> None:
    """Time all forms and print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--images", type=int, default=5120, help="of the loader, per round")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = load_train(DataSpec(name="cifar10-jpeg"))
    train = data.train
    assert isinstance(train, ImageSet)
    batches = train_batches(train, data.info, Augmentation(), BATCH, torch.device("cpu"))
    count = arguments.images
    pictures = Pictures(train.images[:count], train.labels[:count], data.info.mean, data.info.std)

    def ours() -> int:
        order, crops = torch.Generator(), torch.Generator()
        return sum(len(labels) for _, labels in batches.epoch(order, crops))

    def theirs(workers: int) -> Callable[[], int]:
        return lambda: sum(len(labels) for _, labels in loader(pictures, BATCH, workers))

    forms = {OURS: _rate(ours)}
    forms |= {f"DataLoader, {n} workers": _rate(theirs(n)) for n in WORKERS}
    found = take_turns(forms, arguments.rounds)
    for name, rates in found.items():
        print(f"{name:24} {spread(rates):>28} images per processor second")
        print(f"{'':24} {spread(ratios(found[OURS], rates)):>28} times, ours over it")
    if arguments.write:
        keep("input", {"torch": torch.__version__, "batch": BATCH, "rates": found})
        write_page()


def _rate(work: Callable[[], int]) -> Callable[[], float]:
    def rate() -> float:
        before = own_seconds()
        images = work()
        return images / (own_seconds() - before)

    return rate


if __name__ == "__main__":
    main()
