"""Gives the readers many damaged inputs; only our own errors may come out, in bounded time.

python -m tests.fuzz.run --count 100000 [--reader genome] [--seed 0] [--crashes FOLDER] [--record]
"""

import argparse
import collections
import pickle
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.fuzz.readers import Reader, accepts, remove_scratch
from tests.fuzz.record import RECORD, add_run
from tests.fuzz.registry import READERS

SECONDS_PER_INPUT = 10
"""Processor seconds; a shared machine cannot make an input look slow."""
MEMORY = 2 << 30
"""Bytes of address space that reading may add; beyond it Python raises MemoryError."""
_BATCH = 1000


class TooSlowError(BaseException):
    """An input took too long; no `except Exception` of a reader can swallow it."""


@dataclass
class Tally:
    """What came of a reader's inputs."""

    reader: str
    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    processor_seconds: float = 0.0
    crashes: dict[str, tuple[int, Any, str]] = field(
        default_factory=dict[str, tuple[int, Any, str]]
    )
    """By kind of crash: how often, the first input, its traceback."""

    @property
    def inputs(self) -> int:
        return self.accepted + self.refused + sum(count for count, _, _ in self.crashes.values())

    def document(self) -> dict[str, Any]:
        return {
            "reader": self.reader,
            "inputs": self.inputs,
            "accepted": self.accepted,
            "refused": self.refused,
            "crashes": {kind: count for kind, (count, _, _) in self.crashes.items()},
            "slowest_seconds": round(self.slowest, 2),
            "seconds": round(self.seconds),
            "processor_seconds": round(self.processor_seconds),
        }

    def text(self) -> str:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return (
            f"{self.reader:<10} {self.inputs:>8,} inputs  {self.accepted:>8,} accepted"
            f"  {self.refused:>8,} refused  {len(self.crashes)} kinds of crash"
            f"  slowest {self.slowest:.2f} s  peak {memory:.0f} MiB  {self.seconds:.0f} s"
        )


def fuzz(reader: Reader, count: int, seed: int = 0) -> Tally:
    """Give a reader so many inputs, half of them damaged, half of them made."""
    tally = Tally(reader.name)
    started, used = time.monotonic(), time.process_time()
    made = count // 2 if reader.made is not None else 0
    rng = random.Random(f"{reader.name}:{seed}")
    for _ in range(count - made):
        _try(reader, reader.mutated(rng), tally)
    for batch, size in _batches(made):
        _fuzz_made(reader, size, seed * 1_000_000 + batch, tally)
    tally.seconds = time.monotonic() - started
    tally.processor_seconds = time.process_time() - used
    return tally


def _batches(count: int) -> Iterator[tuple[int, int]]:
    """Cut the inputs into batches, since hypothesis remembers what it made within one."""
    for batch, done in enumerate(range(0, count, _BATCH)):
        yield batch, min(_BATCH, count - done)


def _fuzz_made(reader: Reader, size: int, seed: int, tally: Tally) -> None:
    assert reader.made is not None

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(reader.made)
    def one(given: Any) -> None:
        _try(reader, given, tally)

    one()


def _try(reader: Reader, given: Any, tally: Tally) -> None:
    started = time.process_time()
    before = signal.signal(signal.SIGPROF, lambda *_: _too_slow())
    signal.setitimer(signal.ITIMER_PROF, SECONDS_PER_INPUT)
    try:
        if accepts(reader, given):
            tally.accepted += 1
        else:
            tally.refused += 1
    except (Exception, TooSlowError) as error:
        kind = _kind(error)
        count, first, trace = tally.crashes.get(kind, (0, given, traceback.format_exc()))
        tally.crashes[kind] = (count + 1, first, trace)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        tally.slowest = max(tally.slowest, time.process_time() - started)


def _too_slow() -> None:
    message = f"more than {SECONDS_PER_INPUT} processor seconds"
    raise TooSlowError(message)


def _kind(error: BaseException) -> str:
    """Return what and where a crash is: its type and the innermost line of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/nasablate/" in frame.filename] or frames
    name = ours[-1].filename.rpartition("/nasablate/")[2]
    return f"{type(error).__name__} at {name}:{ours[-1].lineno}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _limit_memory() -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, resource.RLIM_INFINITY))


def main() -> int:
    """Fuzz the readers asked for; 1 if any crashed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="inputs per reader")
    parser.add_argument("--reader", action="append", choices=sorted(READERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--crashes", type=Path, help="folder for the first input of each crash")
    parser.add_argument("--record", action="store_true", help=f"add the runs to {RECORD.name}")
    options = parser.parse_args()
    _limit_memory()
    found: collections.Counter[str] = collections.Counter()
    try:
        for name in options.reader or READERS:
            tally = fuzz(READERS[name], options.count, options.seed)
            _say(tally.text())
            if options.record:
                add_run({"seed": options.seed, **tally.document()})
            for kind, (count, given, trace) in tally.crashes.items():
                found[kind] += count
                _say(f"\n{kind}, {count} times, first for\n{given!r:.2000}\n{trace}")
                if options.crashes:
                    options.crashes.mkdir(parents=True, exist_ok=True)
                    file = options.crashes / f"{name}-{len(found)}.pickle"
                    file.write_bytes(pickle.dumps(given))
    finally:
        remove_scratch()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
