"""The device and the threads of one job, given back when it ends."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

import torch

from nasablate.errors import InputError
from nasablate.training.job import TrainJob


@contextmanager
def device_and_threads(job: TrainJob) -> Generator[torch.device]:
    """Run the body with the job's threads and leave torch's global random state as it was.

    Raises:
        InputError: the device is unknown or not available.
    """
    device = device_of(job.device)
    threads = torch.get_num_threads()
    cuda_devices = [device] if device.type == "cuda" else []
    torch.set_num_threads(job.threads)
    try:
        with torch.random.fork_rng(cuda_devices):  # pyright: ignore[reportUnknownMemberType]
            yield device
    finally:
        torch.set_num_threads(threads)
        release_memory(device)


def release_memory(device: torch.device) -> None:
    """Free what a finished training left, since worker processes live on."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def device_of(name: str) -> torch.device:
    """Return the device of that name.

    Raises:
        InputError: the device is unknown or not available.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        message = f"device = {name!r}: torch knows no such device; use cpu or cuda"
        raise InputError(message) from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        message = f"device = {name!r}: torch sees {torch.cuda.device_count()} CUDA devices here"
        raise InputError(message)
    return device


def memory_of(name: str) -> int | None:
    """Return the bytes of a GPU's memory, None for a CPU.

    Raises:
        InputError: the device is unknown or not available.
    """
    device = device_of(name)
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[1]
