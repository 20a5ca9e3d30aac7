"""Ray started and stopped our way: on loopback, without telemetry, quiet, in a private folder.

The switches must be set before Ray is imported, so only this file and `ray_runner` import it,
and this one first. A switch that is already in the environment is left alone.
"""

# pyright: reportUnknownMemberType=false
# Ray is half typed.

import contextlib
import functools
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, cast

_PREFIX = "nasablate-ray-"
_MAX_FOLDER_LENGTH = 30
"""Ray puts sockets below its folder, and a socket's path has at most 107 characters."""
_OBJECT_STORE_BYTES = 128 * 2**20

_SWITCHES = {
    # Only this makes every server of a local Ray listen on 127.0.0.1 instead of everywhere.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # We handle signals ourselves, and after one nobody waits for an epoch to end.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_FORCE_TRIAL_CLEANUP_S": "1",
    "TUNE_WARN_THRESHOLD_S": "30",
    # Ray's own snapshots are never used; writing them seldom keeps them cheap.
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
}


@contextlib.contextmanager
def ray_session(
    address: str | None = None, num_cpus: int | None = None, num_gpus: int | None = None
) -> Generator[Path]:
    """Run Ray while inside; yields a private folder that is removed at the end.

    Args:
        address: A running cluster to join, for example ``auto``; None starts Ray here.
        num_cpus: CPUs a local Ray may use; None means all.
        num_gpus: GPUs a local Ray may use; None means those there are.
    """
    _remove_leftovers()
    folder = _private_folder()
    switches = dict(_SWITCHES)
    if address is None:  # a cluster brings its own token and its own network
        token = folder / "token"
        descriptor = os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_token())
        switches |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    else:
        del switches["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"]
    try:
        with _environment(switches), _signals_as_they_are():
            _start(address, folder, num_cpus, num_gpus)
            yield folder
    finally:
        _stop()
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _token() -> str:
    """Return the password of this process's Rays; Ray keeps the first one it has read."""
    return secrets.token_hex(32)


def cluster_size() -> tuple[float, float]:
    """Return the CPUs and GPUs of the Ray that runs now."""
    import ray

    resources = cast("Mapping[str, float]", ray.cluster_resources())
    return resources.get("CPU", 0.0), resources.get("GPU", 0.0)


def _start(address: str | None, folder: Path, num_cpus: int | None, num_gpus: int | None) -> None:
    import ray

    for name in ("ray", "ray.tune", "ray.train", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    common: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.CRITICAL,
        "configure_logging": False,
    }
    if address is not None:
        # Workers there have the environment that ``ray start`` had.
        needed = {"RAY_CHDIR_TO_TRIAL_DIR": os.environ["RAY_CHDIR_TO_TRIAL_DIR"]}
        ray.init(address=address, runtime_env={"env_vars": needed}, **common)
        return
    with _servers_apart():
        ray.init(
            address="local",  # whatever RAY_ADDRESS says
            num_cpus=num_cpus,
            num_gpus=num_gpus,
            include_dashboard=False,
            object_store_memory=_OBJECT_STORE_BYTES,
            _temp_dir=str(folder / "r"),
            **common,
        )


@contextlib.contextmanager
def _servers_apart() -> Generator[None]:
    """Start Ray's servers in sessions of their own; they still end with this process.

    ``timeout`` and cluster schedulers send a signal to the whole process group. Without its
    servers Ray waits a minute and then aborts this process, before trials are released.
    """
    from ray._private import services

    before: Any = services.ConsolePopen
    started: Any = functools.partial(before, start_new_session=True)
    services.ConsolePopen = started
    try:
        yield
    finally:
        services.ConsolePopen = before


@contextlib.contextmanager
def _signals_as_they_are() -> Generator[None]:
    """Keep Ray from taking SIGTERM for itself, which would end a start with exit code 15."""
    from ray._private import utils as half_typed

    utils: Any = half_typed

    def leave_it(handler: object) -> None:
        del handler

    before = utils.set_sigterm_handler
    utils.set_sigterm_handler = leave_it
    try:
        yield
    finally:
        utils.set_sigterm_handler = before


def _stop() -> None:
    import ray

    with contextlib.suppress(Exception):
        ray.shutdown()


def _private_folder() -> Path:
    """Make a folder that only this user can enter, with a short path."""
    base = _base_folder()
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


def _base_folder() -> Path:
    folder = tempfile.gettempdir()
    return Path(folder if len(folder) <= _MAX_FOLDER_LENGTH else "/tmp")  # noqa: S108


def _remove_leftovers() -> None:
    """Remove the folders of drivers that were killed."""
    for folder in _base_folder().glob(f"{_PREFIX}*"):
        number = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if number.isdigit() and folder.stat().st_uid == os.getuid() and not _is_alive(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _environment(switches: Mapping[str, str]) -> Generator[None]:
    """Set what is not set, and unset it again at the end."""
    ours = {name: value for name, value in switches.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
