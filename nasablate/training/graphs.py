"""Whole steps as one CUDA graph, which the CPU starts with a single call."""

import warnings
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from nasablate.training.memory import is_out_of_memory
from nasablate.training.step import Batch, Step

WARM_STEPS = 3
"""Steps of the training itself that run as written first: they make the optimizer's state, and
cuDNN's choices, which must not fall into the recording."""

Replay = Callable[[], list[Batch]]
"""Runs a recorded step again and returns its results, which the next run overwrites."""


class Recorder(Protocol):
    """Where steps are recorded; see `CudaRecorder`."""

    def warm(self, work: Replay) -> list[Batch]:
        """Run a step as written, aside from the stream that is recorded later."""
        ...

    def record(self, work: Replay) -> Replay:
        """Record a step without running it.

        Raises:
            RuntimeError: something in it cannot be recorded.
        """
        ...


class CudaRecorder:
    """CUDA's own graphs."""

    def warm(self, work: Replay) -> list[Batch]:
        """Run a step on a stream of its own."""
        stream, current = torch.cuda.Stream(), torch.cuda.current_stream()
        stream.wait_stream(current)
        with torch.cuda.stream(stream):
            seen = work()
        current.wait_stream(stream)
        return seen

    def record(self, work: Replay) -> Replay:
        """Record a step with memory of its own."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            seen = work()

        def replay() -> list[Batch]:
            graph.replay()
            return seen

        return replay


class GraphedStep:
    """Steps of one batch: the first few as written, then recorded once and run again and again.

    Forward and backward pass, limits on gradients and the optimizer are in the recording. Images
    and labels are copied into its input; the learning rate is a tensor on the device, so that a
    schedule goes on. Batches of another size, such as the last of an epoch, run as written. Masks
    go on too: torch advances its generator with every run and heeds a new seed.

    What a step returns is overwritten by the next one.
    """

    def __init__(
        self,
        step: Step,
        optimizer: torch.optim.Optimizer,
        recorder: Recorder,
        give_up: Callable[[str], None],
    ) -> None:
        self._step = step
        self._recorder = recorder
        self._give_up = give_up
        self._input: list[Batch] = []
        self._warmed = 0
        self._replay: Replay | None = None
        self._failed = False
        make_capturable(optimizer)

    def __call__(self, batches: Sequence[Batch]) -> list[Batch]:
        """Update the weights once; see ``training.step.train_step``."""
        (batch,) = batches
        if self._failed or not self._fits(batch):
            return self._step(batches)
        if self._warmed < WARM_STEPS:
            self._warmed += 1
            with warnings.catch_warnings():  # of a step that could be recorded and is not
                warnings.simplefilter("ignore")
                return self._recorder.warm(lambda: self._step(batches))
        if self._replay is None:
            try:
                self._replay = self._recorder.record(lambda: self._step(self._input))
            except RuntimeError as error:
                if is_out_of_memory(error):
                    raise
                self._failed = True
                self._give_up(first_line(error))
                return self._step(batches)
        for held, given in zip(self._input[0], batch, strict=True):
            held.copy_(given)
        return self._replay()

    def _fits(self, batch: Batch) -> bool:
        """Tell whether a batch has the form of the first one."""
        if not self._input:
            images, labels = batch
            self._input = [(images.clone(), labels.clone())]
        forms = [[(part.shape, part.dtype) for part in each] for each in (self._input[0], batch)]
        return forms[0] == forms[1]


def make_capturable(optimizer: torch.optim.Optimizer) -> None:
    """Keep on the device what changes from step to step: the learning rate and the counters."""
    for group in optimizer.param_groups:
        device = group["params"][0].device
        if not isinstance(group["lr"], Tensor):
            group["lr"] = torch.tensor(group["lr"], dtype=torch.float32, device=device)
        if "capturable" in group:
            group["capturable"] = True
    for parameter, state in optimizer.state.items():
        if isinstance(state.get("step"), Tensor):
            state["step"] = state["step"].to(parameter.device)


def first_line(error: Exception) -> str:
    """Return an error's kind and the first line of what it says."""
    line, _, _ = str(error).strip().partition("\n")
    return f"{type(error).__name__}: {line}"
