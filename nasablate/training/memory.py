"""What a training that ran out of memory had in use, and what it asked for."""

import re
import resource
import sys
from collections.abc import Generator
from contextlib import contextmanager

import torch

from nasablate.errors import OutOfMemoryError
from nasablate.training.job import TrainJob

_SIZE = re.compile(r"tried to allocate ([0-9.]+) ?(bytes|[KMGT]i?B)", re.IGNORECASE)


@contextmanager
def memory_measured(job: TrainJob, device: torch.device) -> Generator[None]:
    """Turn a failed allocation in the body into an error that says what was needed.

    Raises:
        OutOfMemoryError: names the batch, the memory in use at most, and what could not be had.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        recipe = job.recipe
        message = (
            f"out of memory on {device} with batches of {recipe.batch_size} images:"
            f" {_asked(error)} could not be had beside {_peak_mib(device):,.0f} MiB in use at most;"
            " lower batch_size and raise accumulate by the same factor, or narrow the network"
        )
        raise OutOfMemoryError(message) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Tell a failed allocation from other errors; torch has a class for it on GPUs alone."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return "allocate memory" in text or "bad allocation" in text or "bad_alloc" in text


def _asked(error: BaseException) -> str:
    found = _SIZE.search(str(error))
    return f"{found[1]} {found[2]}" if found else "more memory"


def _peak_mib(device: torch.device) -> float:
    """Return the most memory in use: of the device's allocator, or of this whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
