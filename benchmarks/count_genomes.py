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
from nasablate.blueprint import cost


def main() -> int:
    """Run the comparison and report what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--genomes", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    refused = layers = different = 0
    for number, network in enumerate(legal_networks(arguments.seed, arguments.genomes)):
        refused += network.refused
        layers += len(network.blueprint.layers)
        difference = _compare(network)
        if difference:
            different += 1
            print(f"genome {number}: {difference}\n  {network.genome.canonical_json()}")
    print(f"{arguments.genomes} genomes, {layers} layers; {refused} illegal ones refused")
    print(f"different counts: {different} ({time.perf_counter() - start:.0f} s)")
    return 1 if different else 0


def _compare(network: Network) -> str:
    blueprint = network.blueprint
    found, counted = cost(blueprint), torch_counts(blueprint)
    pairs = {
        "params": (found.params, counted.params),
        "macs": (found.macs, counted.macs),
        "shapes": (tuple(layer.shape for layer in blueprint.layers), counted.shapes),
        "activations": (found.activations, sum(prod(shape) for shape in counted.shapes)),
        "logits": ((network.genome.classes,), counted.logits),
    }
    return ", ".join(f"{key} {a} != {b}" for key, (a, b) in pairs.items() if a != b)


if __name__ == "__main__":
    sys.exit(main())
