"""Packing: what is advised, and that processes train at the same time."""

import pytest
import torch

from nasablate.genome import Genome, load_recipe
from nasablate.search.packing import Packed, PackingJob, advise, measure_packing
from nasablate.training.network import make_net

GIB = 2**30


def packed(**rates: tuple[float, ...]) -> list[Packed]:
    return [Packed(int(name[1:]), values, GIB) for name, values in rates.items()]


def test_the_most_images_per_second_win():
    found = packed(k1=(100.0, 110.0), k2=(180.0, 190.0), k4=(250.0, 240.0), k8=(200.0, 210.0))
    advice = advise(found)
    assert (advice.trials, advice.gpus_per_trial) == (4, 0.25)
    assert advice.gain == pytest.approx((2.5 + 240 / 110) / 2)


def test_a_small_gain_is_refused_and_said():
    advice = advise(packed(k1=(100.0,), k2=(114.0,), k4=(90.0,)))
    assert advice.trials == 1
    assert "gains 1.14 at most, less than 1.15" in advice.reason
    assert advise(packed(k1=(100.0,), k2=(116.0,))).trials == 2


def test_only_what_fits_into_the_memory_counts():
    found = packed(k1=(100.0,), k2=(150.0,), k4=(300.0,))
    assert advise(found, device_bytes=4 * GIB).trials == 2
    assert advise(found, device_bytes=5 * GIB).trials == 4
    advice = advise(found, device_bytes=2 * GIB)
    assert advice.trials == 1
    assert "fits into the memory" in advice.reason


@pytest.mark.slow
def test_processes_train_at_the_same_time():
    genome = Genome.parse(
        {
            "input": {"channels": 1, "height": 8, "width": 8},
            "stages": [{"units": 1}],
            "stem": {"kind": "conv3x3", "width": 8},
            "width": 8,
        }
    )
    job = PackingJob(genome, load_recipe({"recipe": "quick", "batch_size": 8}), "cpu")
    found = measure_packing(job, [2], rounds=2, seconds=0.5)
    assert [each.trials for each in found] == [1, 2]
    assert all(len(each.rates) == 2 and min(each.rates) > 0 for each in found)
    assert found[0].trial_bytes == found[1].trial_bytes
    net = make_net(genome, job.recipe, 0, torch.device("cpu"))
    weights = sum(value.nbytes for value in net.parameters())
    assert found[0].trial_bytes > 3 * weights  # their momenta and gradients, and the activations
