"""Processes that share a long piece of work: each is handed a job at a time and answers it."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_Job = TypeVar("_Job")
_Answer = TypeVar("_Answer")

Serve = Callable[..., None]
"""What a process runs: ``serve(connection, *arguments)`` answers jobs until `EOFError`."""


class Crew(Generic[_Job, _Answer]):
    """Spawned processes; all of them end when the context does, or with this process.

    Args:
        serve: A function of a module, so that a new process can import it.
        arguments: What it gets besides its connection; picklable.
        processes: How many to start.
    """

    def __init__(self, serve: Serve, arguments: tuple[object, ...], processes: int) -> None:
        self._serve = serve
        self._arguments = arguments
        self._number = processes
        self._members: dict[Connection, BaseProcess] = {}

    def __enter__(self) -> "Crew[_Job, _Answer]":
        context = multiprocessing.get_context("spawn")
        with _without_interrupts():
            for _ in range(self._number):
                ours, theirs = context.Pipe()
                arguments = (theirs, *self._arguments)
                process = context.Process(target=self._serve, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._members[ours] = process
        return self

    def __exit__(self, *exception: object) -> None:
        for connection, process in self._members.items():
            connection.close()
            process.terminate()
        for process in self._members.values():
            process.join()

    def answers(self, jobs: Iterator[_Job]) -> Iterator[tuple[_Job, _Answer | None]]:
        """Yield every job with its answer as they come; None if its process died."""
        busy: dict[Connection, _Job] = {}
        for connection in list(self._members):
            self._hand_out(connection, jobs, busy)
        while busy:
            for ready in wait(list(busy)):
                connection = cast("Connection", ready)
                job = busy.pop(connection)
                try:
                    answer = cast("_Answer", connection.recv())
                except (EOFError, OSError):
                    yield job, None
                    continue
                self._hand_out(connection, jobs, busy)
                yield job, answer

    def _hand_out(
        self, connection: Connection, jobs: Iterator[_Job], busy: dict[Connection, _Job]
    ) -> None:
        for job in jobs:
            busy[connection] = job
            with contextlib.suppress(OSError):  # it died; reading from it will say so
                connection.send(job)
            return


def serve_jobs(connection: Connection, answer: Callable[[Any], object]) -> None:
    """Answer jobs until the other end closes or ends."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(answer(connection.recv()))


@contextlib.contextmanager
def _without_interrupts() -> Generator[None]:
    """Start processes deaf to Ctrl-C, which a terminal sends to all of them: we end them."""
    # the tracker unblocks the signal after its own start, so it must run before
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
