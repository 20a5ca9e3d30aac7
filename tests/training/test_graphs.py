"""Recorded steps. Without a GPU a stand-in calls the step where CUDA would replay it."""

import copy
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from nasablate.genome import load_recipe
from nasablate.training import fit
from nasablate.training.graphs import WARM_STEPS, CudaRecorder, GraphedStep, Replay
from nasablate.training.network import make_net
from nasablate.training.optimizer import make_optimizer, set_learning_rate
from nasablate.training.step import Batch, Step, StepRule, train_step
from tests.training.test_fit import GENOME, go_on, job

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")
RATES = [0.1, 0.1, 0.05, 0.05, 0.01, 0.01, 0.01]


class Called:
    """A recorder that calls what it has recorded, and counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.warmed = self.recorded = self.replayed = 0

    def warm(self, work: Replay) -> list[Batch]:
        self.warmed += 1
        return work()

    def record(self, work: Replay) -> Replay:
        self.recorded += 1
        if self.error is not None:
            raise self.error

        def replay() -> list[Batch]:
            self.replayed += 1
            return work()

        return replay


def batches(sizes: Sequence[int], device: str = "cpu") -> list[Batch]:
    source = torch.Generator().manual_seed(0)
    drawn = [
        (
            torch.randn(size, 1, 8, 8, generator=source),
            torch.randint(10, (size,), generator=source),
        )
        for size in sizes
    ]
    form = torch.channels_last
    return [(x.to(device, memory_format=form), y.to(device)) for x, y in drawn]


def small_net() -> nn.Module:
    torch.manual_seed(0)
    layers = (
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
    )
    return nn.Sequential(*layers, nn.Linear(144, 10))


def trained(
    recorder: Called | CudaRecorder | None, data: list[Batch], device: str = "cpu", **recipe: object
) -> tuple[dict[str, Tensor], list[float], list[str]]:
    """Return the weights and losses after a step per batch, and what was given up."""
    rule = load_recipe({"recipe": "quick", **recipe})
    net = small_net() if device == "cpu" else make_net(GENOME, rule, 0, torch.device(device))
    net.train()
    optimizer = make_optimizer(net, rule.optimizer)
    gave_up: list[str] = []

    def plain(group: Sequence[Batch]) -> list[Batch]:
        return train_step(net, optimizer, group, StepRule.of(rule))

    step: Step = plain
    if recorder is not None:
        step = GraphedStep(plain, optimizer, recorder, gave_up.append)
    losses: list[float] = []
    for number, batch in enumerate(data):
        set_learning_rate(optimizer, RATES[number])
        torch.manual_seed(number)
        losses.append(float(step([batch])[0][1]))
    return copy.deepcopy(net.state_dict()), losses, gave_up


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"optimizer": {"kind": "adamw", "lr": 0.01}},
        {"clip": {"kind": "norm", "max": 0.5}},
    ],
)
def test_a_recorded_step_follows_input_and_schedule(recipe: dict[str, object]) -> None:
    recorder, data = Called(), batches([8] * 7)
    weights, losses, gave_up = trained(recorder, data, **recipe)
    plain, expected, _ = trained(None, data, **recipe)
    assert (recorder.warmed, recorder.recorded, recorder.replayed) == (WARM_STEPS, 1, 4)
    assert gave_up == []
    assert losses == pytest.approx(expected, rel=1e-4)  # a rate in single precision
    for name, value in weights.items():
        torch.testing.assert_close(value, plain[name], rtol=1e-3, atol=1e-4)


def test_the_recording_reads_one_place_in_memory() -> None:
    places: set[int] = set()

    def step(group: Sequence[Batch]) -> list[Batch]:
        places.add(group[0][0].data_ptr())
        return list(group)

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    graphed = GraphedStep(step, optimizer, Called(), print)
    data = batches([8] * 7)
    seen = [graphed([batch])[0][0].clone() for batch in data]
    assert all(torch.equal(found, given[0]) for found, given in zip(seen, data, strict=True))
    assert len(places - {batch[0].data_ptr() for batch in data}) == 1


def test_a_smaller_last_batch_runs_as_written() -> None:
    recorder, data = Called(), batches([8, 8, 8, 8, 3, 8])
    weights, losses, _ = trained(recorder, data)
    plain, expected, _ = trained(None, data)
    assert (recorder.warmed, recorder.replayed) == (3, 2)
    assert losses == pytest.approx(expected, rel=1e-4)
    for name, value in weights.items():
        torch.testing.assert_close(value, plain[name], rtol=1e-3, atol=1e-4)


def test_steps_that_cannot_be_recorded_go_on_as_written() -> None:
    recorder, data = (
        Called(RuntimeError("operation not permitted\nwhen capturing")),
        batches([8] * 6),
    )
    weights, losses, gave_up = trained(recorder, data)
    plain, expected, _ = trained(None, data)
    assert gave_up == ["RuntimeError: operation not permitted"]
    assert recorder.recorded == 1
    assert losses == pytest.approx(expected, rel=1e-4)
    for name, value in weights.items():
        torch.testing.assert_close(value, plain[name], rtol=1e-3, atol=1e-4)


def test_too_little_memory_is_no_reason_to_go_on() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        trained(Called(torch.OutOfMemoryError("CUDA out of memory")), batches([8] * 5))


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize("kind", ["sgd", "adamw", "rmsprop"])
def test_graphs_train_as_written_steps_do_on_a_gpu(kind: str) -> None:
    """Band of the losses of seven steps, of which four are replayed: 1 in 1,000."""
    data = batches([32] * 7, "cuda")
    recipe = {"optimizer": {"kind": kind, "lr": 0.01}}
    _, losses, gave_up = trained(CudaRecorder(), data, "cuda", **recipe)
    _, expected, _ = trained(None, data, "cuda", **recipe)
    assert gave_up == []
    assert losses == pytest.approx(expected, rel=1e-3)


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize("form", ["eager", "graphs"])
def test_two_trainings_on_a_gpu_agree_within_the_band(form: str) -> None:
    task = job(device="cuda", training={"execution": form})
    first, second = fit(task, go_on), fit(task, go_on)
    assert first.execution is not None
    assert first.execution.form == form
    for one, other in zip(first.records, second.records, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=0.02)
