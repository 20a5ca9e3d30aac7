"""The steps of an epoch never wait for the device: nothing on it is read before their end."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from nasablate.data import load_train
from nasablate.data.augment import TrainBatches
from nasablate.genome.augmentation import Augmentation
from nasablate.training.device import device_and_threads
from nasablate.training.loop import _Training, run_steps
from nasablate.training.steps import StepLog
from nasablate.training.team import ALONE
from tests.data.test_augment import info_of, random_set
from tests.data.test_distortion import ALL
from tests.training.test_fit import job

aten = torch.ops.aten
READING = {
    aten._local_scalar_dense.default,
    aten.equal.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten._unique2.default,
}
"""What a GPU would have to finish for, since its result decides a value or a shape here."""

RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "all": {
        "accumulate": 2,
        "average": {"decay": 0.9, "ramp": True},
        "clip": {"kind": "norm", "max": 1.0},
        "optimizer": {"kind": "rmsprop", "lr": 0.01},
        "augmentation": {"cutout": {"size": 2}, "erasing": {}, "mixup": {}},
    },
    "adamw": {"optimizer": {"kind": "adamw", "lr": 0.01}, "clip": {"kind": "value", "max": 1.0}},
}


class NoReading(TorchDispatchMode):
    """Refuses operations that read tensors."""

    def __torch_dispatch__(
        self, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        masks = func is aten.index.Tensor and any(
            index is not None and index.dtype is torch.bool for index in args[1]
        )
        assert func not in READING, f"{func} reads a tensor"
        assert not masks, "a mask as an index has to be counted first"
        return func(*args, **(kwargs or {}))


@contextmanager
def no_waiting(device: str) -> Generator[None]:
    """Fail where the body waits for the device, or would if it were one."""
    if device == "cpu":
        with NoReading():
            yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU to wait for")
DEVICES = ["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", RECIPES)
def test_the_steps_of_an_epoch_read_nothing(name: str, device: str) -> None:
    task = job(device=device, training={"batch_size": 64, **RECIPES[name]})
    with device_and_threads(task) as place:
        training = _Training(task, load_train(task.data), place, ALONE)
        run_steps(training, 1, StepLog(1))  # kernels and the optimizer's state are made
        with no_waiting(device):
            (loss_sum, _), num_images, _ = run_steps(training, 2, StepLog(1))
    assert num_images > 100
    assert float(loss_sum) > 0


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ALL)
def test_no_augmentation_reads_anything(name: str, device: str) -> None:
    """Of policies nothing is promised: kornia sends what it draws to the device, and waits."""
    data = random_set(40)
    spec = Augmentation.parse({"flip": True, **ALL[name]})
    batches = TrainBatches(data, info_of(data), spec, 16, torch.device(device))
    for _ in batches.epoch(torch.Generator(), torch.Generator()):
        pass  # constants are sent
    with no_waiting(device):
        assert len(list(batches.epoch(torch.Generator(), torch.Generator()))) == 3


def test_reading_is_noticed() -> None:
    values = torch.arange(3.0)
    for reads in (
        lambda: float(values[0]),
        lambda: bool((values > 0).all()),
        lambda: values[values > 1],
        lambda: torch.equal(values, values),
        values.nonzero,
    ):
        with pytest.raises(AssertionError, match=r"reads a tensor|be counted"), NoReading():
            reads()
