"""Counts random genomes in plain Python and in torch; every count must be equal.

    python benchmarks/count_genomes.py [--genomes 5000] [--seed 0]

Ends with exit code 1 if any count differs. 5,000 genomes take about ten minutes on one free core.
"""

import argparse
import sys
import time
from math import prod

import torch

from benchmarks.random_genomes import Network, legal_networks
from benchmarks.torch_counts import torch_counts
from nasablate.blueprint import cost, lower


def main() -> int:
    """Run the comparison and print how long each side took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genomes", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ours = theirs = 0.0
    refused = layers = different = 0
    for number, network in enumerate(legal_networks(arguments.seed, arguments.genomes)):
        refused += network.refused
        layers += len(network.blueprint.layers)
        seconds_ours, seconds_theirs, difference = _compare(network)
        ours += seconds_ours
        theirs += seconds_theirs
        if difference:
            different += 1
            print(f"genome {number}: {difference}\n  {network.genome.canonical_json()}")
    rate = arguments.genomes / ours
    print(f"{arguments.genomes} genomes, {layers} layers; {refused} illegal ones refused")
    print(f"lower and cost: {ours:.1f} s ({rate:.0f} genomes/s); torch, built: {theirs:.1f} s")
    print(f"different counts: {different}")
    return 1 if different else 0


def _compare(network: Network) -> tuple[float, float, str]:
    start = time.perf_counter()
    blueprint = lower(network.genome)
    found = cost(blueprint)
    middle = time.perf_counter()
    counted = torch_counts(blueprint)
    end = time.perf_counter()
    pairs = {
        "params": (found.params, counted.params),
        "macs": (found.macs, counted.macs),
        "shapes": (tuple(layer.shape for layer in blueprint.layers), counted.shapes),
        "activations": (found.activations, sum(prod(shape) for shape in counted.shapes)),
        "logits": ((network.genome.classes,), counted.logits),
    }
    difference = ", ".join(f"{key} {a} != {b}" for key, (a, b) in pairs.items() if a != b)
    return middle - start, end - middle, difference


if __name__ == "__main__":
    sys.exit(main())
