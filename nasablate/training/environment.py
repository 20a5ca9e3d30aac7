"""What a result depends on beside its job: code, packages, machine and flags, as plain data."""

import functools
import hashlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

import torch

from nasablate.data import load_info
from nasablate.training.job import TrainJob, job_digest

Manifest = dict[str, str | int | bool | dict[str, str | None] | None]

_PACKAGES = (
    "kornia",
    "numpy",
    "optuna",
    "pillow",
    "pyarrow",
    "pydantic",
    "ray",
    "scikit-learn",
    "sqlalchemy",
    "torch",
)


def manifest(job: TrainJob) -> Manifest:
    """Describe the environment of a job as JSON data.

    Raises:
        DataError: the data set is missing or damaged.
    """
    return {
        "job": job_digest(job),
        "data_fingerprint": load_info(job.data).fingerprint,
        "code": _code(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": device_name(job.device),
        "threads": job.threads,
        "workers": job.workers,
        "cpu_count": os.cpu_count(),
        "cuda": torch.version.cuda,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
    }


@functools.cache
def _code() -> dict[str, str | None]:
    """Name the code: the version, a hash of the sources as they are, and the last commit."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return {
        "version": _version("nasablate"),
        "source_sha256": digest.hexdigest(),
        "commit": _commit(package),
    }


def _commit(package: Path) -> str | None:
    """Return the last commit that touched the package, None outside a checkout of it."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(package), "log", "-1", "--format=%H", "--", "."]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def device_name(name: str) -> str:
    """Return a device with the name of its hardware."""
    device = torch.device(name)
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    return f"{device}: {_cpu_name()}"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
