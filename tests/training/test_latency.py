"""Times and memory of networks: what is counted, and what is refused."""

import pytest
import torch

from nasablate.blueprint import cost, lower
from nasablate.errors import InputError
from nasablate.genome import load_genome, load_recipe
from nasablate.training.allocation import peak_bytes
from nasablate.training.latency import Conditions, measure, state_bytes
from nasablate.training.network import make_net

CPU = torch.device("cpu")
FEW = Conditions(runs=6, warmup=1)
STEPS = Conditions(work="training", runs=6, warmup=1)


@pytest.fixture(scope="module")
def small():
    genome = load_genome("resnet-20")
    return genome.model_copy(update={"stages": genome.stages[:2]})


def test_the_peak_counts_what_is_held_at_once_and_not_what_was_there_before():
    before = torch.zeros(1_000_000)

    def one_after_the_other():
        for _ in range(3):
            (before + 1).sum()

    def at_once():
        return [before + 1 for _ in range(3)]

    alone, together = peak_bytes(one_after_the_other, CPU), peak_bytes(at_once, CPU)
    assert 4_000_000 <= alone < 4_100_000
    assert 12_000_000 <= together < 12_100_000


def test_the_peak_counts_nothing_that_an_earlier_measurement_left_behind():
    kept = []
    peak_bytes(lambda: kept.append(torch.zeros(3_000_000)), CPU)
    kept.clear()
    assert 4_000_000 <= peak_bytes(lambda: torch.zeros(1_000_000), CPU) < 4_100_000


def test_every_size_is_measured_by_itself_from_the_smallest_on(small):
    threads = torch.get_num_threads()
    state = torch.random.get_rng_state()
    found = measure(small, load_recipe({"recipe": "quick"}), [4, 1], Conditions(threads=2, runs=6))
    assert [one.batch for one in found] == [1, 4]
    assert all(len(one.seconds) == 6 for one in found)
    assert all(one.least_ms <= one.quartiles_ms[0] <= one.median_ms for one in found)
    assert found[1].images_per_second == pytest.approx(4e3 / found[1].median_ms)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_memory_holds_the_weights_and_grows_with_the_batch_and_with_training(small):
    recipe = load_recipe({"recipe": "quick"})
    net = make_net(small, recipe, 0, CPU)
    assert state_bytes(net) >= 4 * cost(lower(small)).params
    one, many = measure(small, recipe, [2, 16], FEW)
    assert one.peak_bytes > state_bytes(net)
    assert many.peak_bytes - one.peak_bytes > 6 * (one.peak_bytes - state_bytes(net))
    step = measure(small, recipe, [16], STEPS)[0]
    assert step.peak_bytes > 2 * many.peak_bytes


def test_the_seconds_end_a_measurement_but_never_below_five_runs(small):
    found = measure(small, load_recipe({"recipe": "quick"}), [1], Conditions(least=5, seconds=0))
    assert len(found[0].seconds) == 5


def test_one_image_cannot_be_trained_on(small):
    with pytest.raises(InputError, match="batch = 1"):
        measure(small, load_recipe({"recipe": "quick"}), [1, 8], STEPS)
