"""Images per second of 1, 2, 4 and 8 trials at once on one device.

    python -m benchmarks.packing --device cuda [--rounds 5] [--write]

Processes train on random images at the same time; the numbers of trials take turns within a round.
The times are wall time, so the machine must be free. ``--write`` keeps the numbers in
benchmarks/results and writes docs/speed.md anew.
"""

import argparse

from benchmarks.measuring import keep, ratios, spread
from benchmarks.speed_page import write_page
from nasablate.genome import load_genome, load_recipe
from nasablate.search.packing import PackingJob, advise, measure_packing


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--network", default="resnet-20")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--trials", default="1,2,4,8")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    recipe = load_recipe({"recipe": "resnet-cifar", "batch_size": arguments.batch})
    job = PackingJob(load_genome(arguments.network), recipe, arguments.device)
    counts = [int(part) for part in arguments.trials.split(",")]
    found = measure_packing(job, counts, arguments.rounds, arguments.seconds)
    alone = next(each for each in found if each.trials == 1).rates
    for each in found:
        gains = spread(ratios(each.rates, alone))
        print(f"{each.trials} at once: {spread(each.rates)} images per second, {gains} times one")
    print(advise(found).reason)
    if arguments.write:
        answers = [
            {"trials": each.trials, "rates": each.rates, "gains": ratios(each.rates, alone)}
            for each in found
        ]
        settings = {"network": arguments.network, "batch": arguments.batch}
        keep("packing", {**settings, "device": arguments.device, "answers": answers})
        write_page()


if __name__ == "__main__":
    main()
