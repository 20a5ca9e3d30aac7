"""How fast genomes are validated and counted, beside counters that need a torch module.

    python -m benchmarks.count_speed [--rounds 15] [--write]

Every round takes fresh random genomes. Ours is timed from plain data to exact parameters and
multiply-adds (validation, lowering, cost); the others only while they count a module that already
exists, which favours them. fvcore, thop, ptflops and torchinfo take part if installed::

    pip install --no-deps fvcore iopath yacs tabulate termcolor portalocker thop ptflops torchinfo

``--write`` keeps the numbers in benchmarks/results and writes docs/speed.md anew.
"""

import argparse
import contextlib
import importlib.util
import io
import logging
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measuring import keep, ratios, spread
from benchmarks.oracles import let_torchvision_load
from benchmarks.plain_nets import images, pyramidnet, resnet
from benchmarks.speed_page import write_page
from nasablate.blueprint import cost, lower
from nasablate.genome import Genome, load_genome

BATCH = 60
"""Genomes that ours counts in a round; each rival counts one."""


def main() -> None:
    """Run both networks and print one table for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    let_torchvision_load()
    races = [
        _race("PyramidNet-110, alpha 20 to 300", "pyramidnet-110-a48", "widening.alpha", rounds),
        _race("ResNet-20, width 16 to 400", "resnet-20", "width", rounds),
    ]
    absent = [name for name in OTHERS if importlib.util.find_spec(name) is None]
    if absent:
        print(f"\nnot installed, so left out: {', '.join(absent)}")
    if arguments.write:
        keep("count", {"torch": torch.__version__, "absent": absent, "races": races})
        write_page()


def _race(title: str, preset: str, path: str, rounds: int) -> dict[str, Any]:
    """Print one network's table and return its numbers."""
    rng = random.Random(0)  # noqa: S311 - no secret
    alpha = path == "widening.alpha"

    def draw() -> float:
        return round(rng.uniform(20, 300), 2) if alpha else rng.randint(16, 400)

    def make(value: float) -> nn.Module:
        return (pyramidnet(18, value) if alpha else resnet(3, int(value))).eval()

    base = load_genome(preset).document()
    seconds: dict[str, list[float]] = {}
    answers: dict[str, list[int]] = {}
    for _ in range(rounds):
        values = [draw() for _ in range(BATCH)]
        documents = [_edited(base, path, value) for value in values]
        start = time.process_time()
        found = [cost(lower(Genome.parse(document))).macs for document in documents]
        seconds.setdefault("nasablate", []).append((time.process_time() - start) / BATCH)
        answers.setdefault("nasablate", []).append(found[0])
        for name, prepare in _rivals():
            module = make(values[0])
            count = prepare(module)
            start = time.process_time()
            macs = count()
            seconds.setdefault(name, []).append(time.process_time() - start)
            answers.setdefault(name, []).append(macs)
    differences = {
        name: _difference(found, answers["nasablate"]) for name, found in answers.items()
    }
    _print(title, rounds, seconds, differences)
    return {"title": title, "seconds": seconds, "macs": differences}


def _edited(base: dict[str, Any], path: str, value: float) -> dict[str, Any]:
    head, _, key = path.partition(".")
    return {**base, head: {**base[head], key: value} if key else value}


def _rivals() -> Iterator[tuple[str, Callable[[nn.Module], Callable[[], int]]]]:
    yield "FlopCounterMode, meta", lambda net: _flop_counter(net, "meta")
    yield "FlopCounterMode, CPU", lambda net: _flop_counter(net, "cpu")
    for name, prepare in OTHERS.items():
        if importlib.util.find_spec(name) is not None:
            yield name, prepare


def _flop_counter(net: nn.Module, device: str) -> Callable[[], int]:
    net, batch = net.to(device), images(device)

    def count() -> int:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(batch)
        return counter.get_total_flops() // 2

    return count


def _fvcore(net: nn.Module) -> Callable[[], int]:
    from fvcore.nn import FlopCountAnalysis

    def count() -> int:
        analysis = FlopCountAnalysis(net, images("cpu"))
        analysis.unsupported_ops_warnings(enabled=False).uncalled_modules_warnings(enabled=False)
        return int(analysis.total())

    return count


def _thop(net: nn.Module) -> Callable[[], int]:
    from thop import profile

    return lambda: int(profile(net, inputs=(images("cpu"),), verbose=False)[0])


def _ptflops(net: nn.Module) -> Callable[[], int]:
    from ptflops import get_model_complexity_info

    def count() -> int:
        with contextlib.redirect_stdout(io.StringIO()):
            macs, _ = get_model_complexity_info(
                net, (3, 32, 32), as_strings=False, print_per_layer_stat=False, verbose=False
            )
        return int(macs)

    return count


def _torchinfo(net: nn.Module) -> Callable[[], int]:
    from torchinfo import summary

    return lambda: int(summary(net, (1, 3, 32, 32), verbose=0, device="cpu").total_mult_adds)


OTHERS: dict[str, Callable[[nn.Module], Callable[[], int]]] = {
    "fvcore": _fvcore,
    "thop": _thop,
    "ptflops": _ptflops,
    "torchinfo": _torchinfo,
}


def _print(
    title: str, rounds: int, seconds: dict[str, list[float]], differences: dict[str, str]
) -> None:
    ours = seconds["nasablate"]
    print(f"\n{title} ({rounds} rounds, processor time of one thread)")
    print(f"{'counter':22} {'ms per genome':>26} {'times ours':>26}  MACs against ours")
    for name, times in sorted(seconds.items(), key=lambda item: statistics.median(item[1])):
        print(
            f"{name:22} {spread([1e3 * value for value in times]):>26}"
            f" {spread(ratios(times, ours)):>26}  {differences[name]}"
        )
    rate = 1 / statistics.median(ours)
    print(f"nasablate validates and counts {rate:,.0f} genomes per second and core")


def _difference(theirs: list[int], ours: list[int]) -> str:
    if theirs == ours:
        return "equal"
    shares = [100 * (their - own) / own for their, own in zip(theirs, ours, strict=True)]
    return f"{min(shares):+.2f} to {max(shares):+.2f} %"


if __name__ == "__main__":
    main()
