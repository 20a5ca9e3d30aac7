"""The most memory that a piece of work holds at once, by torch's allocators."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


def peak_bytes(work: Callable[[], object], device: torch.device) -> int:
    """Run ``work`` once and return the most bytes it had allocated beside what was there before.

    On CUDA it is the caching allocator's count. On a CPU it is that of torch's allocator, followed
    by the profiler: what a library allocates for itself is not in it, nor is the process's code.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        work()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with _quiet(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        work()
    return _highest(_events(found))


def _events(found: profile) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "trace.json"
        found.export_chrome_trace(str(path))
        trace: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    events = [event for event in trace["traceEvents"] if event.get("name") == "[memory]"]
    return [event["args"] for event in sorted(events, key=lambda event: event["ts"])]


def _highest(events: list[dict[str, Any]]) -> int:
    """Return the highest total above the one before the first event.

    The profiler's total goes on from its earlier runs in this process: memory that was allocated
    in one of them and freed after it stays counted.
    """
    if not events:
        return 0
    before = int(events[0]["Total Allocated"]) - int(events[0]["Bytes"])
    return max(0, max(int(event["Total Allocated"]) for event in events) - before)


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """Keep stderr free of the lines that the profiler writes on it, beneath Python."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
