"""The checks behind ``nasablate doctor``, each a function that returns findings."""

import importlib.metadata
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nasablate.errors import NasablateError

if TYPE_CHECKING:
    from nasablate.genome import DataSpec

Status = Literal["ok", "warning", "problem"]

_PACKAGES = ("torch", "optuna", "optuna-dashboard", "ray", "pydantic", "sqlalchemy", "plotly")
_LEAST_DISK_GIB = 1.0
_LEAST_SHARED_MIB = 64
_SLOW_COMMIT_MS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    remedy: str = ""


def check_all(storage: str, needed: "Sequence[DataSpec]" = (), *, ray: bool) -> Iterator[Finding]:
    """Yield findings one by one, the quick ones first.

    Args:
        storage: URL of the database.
        needed: Data sets that must be here; of those with a name, only digits has to be otherwise.
        ray: Whether to start Ray, which takes about ten seconds.
    """
    checks: list[Callable[[], Iterator[Finding]]] = [
        _python,
        _packages,
        _cores,
        lambda: _disk(storage),
        _shared_memory,
        lambda: _database(storage),
        lambda: _data(needed),
        _torch,
    ]
    if ray:
        checks.append(_ray)
    for check in checks:
        yield from check()


def _python() -> Iterator[Finding]:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = "" if supported else "use Python 3.11, 3.12 or 3.13"
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("python", "ok" if supported else "warning", found, remedy)


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "problem", "not installed", f"pip install {name}")


def _cores() -> Iterator[Finding]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = os.environ.get("OMP_NUM_THREADS")
    limit = f", OMP_NUM_THREADS = {threads}" if threads else ""
    yield Finding("cores", "ok", f"{usable} usable{limit}")


def _disk(storage: str) -> Iterator[Finding]:
    from nasablate.store import study_folder

    wanted = study_folder(storage, "x").parent
    folder = next(place for place in (wanted, *wanted.parents) if place.is_dir())
    free = shutil.disk_usage(folder).free / 2**30
    enough = free >= _LEAST_DISK_GIB
    remedy = "" if enough else f"free some space below {folder}, or name another --storage"
    yield Finding("disk", "ok" if enough else "problem", f"{free:.1f} GiB free at {folder}", remedy)
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "problem", f"{folder} cannot be written", "change its permissions")


def _shared_memory() -> Iterator[Finding]:
    place = Path("/dev/shm")  # noqa: S108 - where Linux keeps shared memory
    if not place.is_dir():
        yield Finding("shared memory", "ok", "no /dev/shm here")
        return
    free = shutil.disk_usage(place).free / 2**20
    enough = free >= _LEAST_SHARED_MIB
    remedy = "" if enough else "give the container more, e.g. --shm-size=1g"
    status: Status = "ok" if enough else "warning"
    yield Finding("shared memory", status, f"{free:,.0f} MiB free in {place}", remedy)


def _database(storage: str) -> Iterator[Finding]:
    from nasablate.store.probe import probe_database

    try:
        probe = probe_database(storage)
    except NasablateError as error:
        yield Finding("database", "problem", str(error), "see the message")
        return
    state = f"{probe.num_studies} studies" if probe.exists else "not made yet"
    slow = probe.commit_ms > _SLOW_COMMIT_MS
    remedy = "a slow disk or server: every epoch of every trial is one write" if slow else ""
    found = f"{probe.backend}, {state}, {probe.commit_ms:.1f} ms per write"
    yield Finding("database", "warning" if slow else "ok", found, remedy)


def _data(needed: "Sequence[DataSpec]") -> Iterator[Finding]:
    from nasablate.data import load_info
    from nasablate.genome import DataSpec
    from nasablate.genome.data_spec import KNOWN_DATA

    asked = [*needed, DataSpec(name="digits")]
    others = [DataSpec(name=name) for name in KNOWN_DATA]
    for spec in dict.fromkeys([*asked, *others]):
        try:
            info = load_info(spec)
        except NasablateError as error:
            if spec not in asked:
                yield Finding(f"data {spec.name}", "ok", "not here", str(error))
                continue
            found, _, remedy = str(error).partition("; ")
            yield Finding(f"data {spec.name}", "problem", found, remedy)
        else:
            found = f"{info.num_train + info.num_val:,} training, {info.num_test:,} test images"
            yield Finding(f"data {spec.name}", "ok", found)


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except ImportError as error:
        yield Finding("torch", "problem", f"does not import: {error}", "install it again")
        return
    capability = torch.backends.cpu.get_cpu_capability()
    yield Finding("torch cpu", "ok", f"{capability}, {torch.get_num_threads()} threads by default")
    if not torch.cuda.is_available():
        yield Finding("gpus", "ok", "none, trials run on the CPU")
    for index in range(torch.cuda.device_count()):
        memory = torch.cuda.mem_get_info(index)[1] / 2**30
        found = f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB"
        yield Finding(f"gpu {index}", "ok", found)


def _ray() -> Iterator[Finding]:
    from nasablate.search.ray_session import cluster_size, ray_session

    started = time.perf_counter()
    try:
        with ray_session():
            cpus, gpus = cluster_size()
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        yield Finding("ray start", "problem", lines[0], "use --runner inline meanwhile")
        return
    seconds = time.perf_counter() - started
    found = f"started and stopped in {seconds:.1f} s, {cpus:g} CPUs, {gpus:g} GPUs"
    yield Finding("ray start", "ok", found)
