"""How Ray is started; apart from `test_runners`, since one process has one Ray at a time."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from nasablate.genome.space import NoScheduler, Resources
from nasablate.search.driver import Driver, Rules
from nasablate.search.observer import SilentObserver
from nasablate.search.proposals import Setting, SpaceProposer
from nasablate.search.samplers import make_sampler
from nasablate.store import open_database
from tests.search.toy import TRAIN, ToySpace

ONE = {"val_error": "minimize"}
OF_THE_IMPORT = ("PYTHONBREAKPOINT", "RAY_CLIENT_MODE")
"""What stays set once a process has imported Ray."""
LOOPBACK = {
    "0100007F",  # 127.0.0.1 as /proc/net writes it
    "00000000000000000000000001000000",  # ::1
    "0000000000000000FFFF00000100007F",  # ::ffff:127.0.0.1
}


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize(("share", "at_once"), [(0.5, 4), (1.0, 2)])
def test_pretended_gpus_are_shared_as_asked(share, at_once, tmp_path, monkeypatch):
    from nasablate.search.ray_runner import RayRunner

    log = tmp_path / "log"
    monkeypatch.setenv("NASABLATE_TOY_LOG", str(log))
    monkeypatch.setenv("NASABLATE_TOY_SECONDS", "0.6")
    resources = Resources(gpus_per_trial=share, cpus_per_trial=0.5)
    database = open_database(f"sqlite:///{tmp_path}/toy.db")
    study = database.create("s", ONE, {"kind": "search"})
    with RayRunner(resources, SilentObserver(), num_cpus=4, num_gpus=2) as runner:
        assert runner._concurrent() == at_once
        space = ToySpace((8,), epochs=6)
        sampler = make_sampler("grid", space, 0, ["minimize"], 8)
        proposer = SpaceProposer(space, sampler, Setting("data", 0, 1), 0)
        rules = Rules(ONE, NoScheduler(), "{}", at_once + 1)
        runner.run(Driver(study, proposer, rules, SilentObserver()), TRAIN)
    spans: dict[str, list[float]] = {}
    devices = set()
    for line in log.read_text().splitlines():
        trial, _, _, _, gpus, moment = line.split(" ")
        spans.setdefault(trial, []).append(float(moment))
        devices.add(gpus)
    assert devices == {"0", "1"}
    busiest = max(
        sum(min(span) <= moment <= max(span) for span in spans.values())
        for moments in spans.values()
        for moment in moments
    )
    assert busiest == at_once
    database.close()


@pytest.mark.ray
def test_ray_leaves_nothing_behind_and_listens_on_loopback_only(monkeypatch):
    from nasablate.search.ray_session import ray_session

    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # only --address joins a cluster
    before = surroundings()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    with ray_session(num_cpus=1) as folder:
        assert signal.getsignal(signal.SIGTERM) is on_sigterm
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "token").stat().st_mode & 0o777 == 0o600
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        listening = listening_addresses(own_processes(str(folder)))
    assert listening
    assert listening <= LOOPBACK
    assert not folder.exists()
    assert surroundings() == before
    assert own_processes(str(folder)) == []


def surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OF_THE_IMPORT}


def own_processes(folder: str) -> list[int]:
    """Return the processes that speak of a folder, and this one if any does."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if folder in path.read_bytes().decode(errors="replace"):
                found.append(int(path.parent.name))
    return found


def listening_addresses(pids: list[int]) -> set[str]:
    """Return the addresses, as the kernel writes them, on which processes listen."""
    inodes = set()
    for pid in [*pids, os.getpid()]:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            with contextlib.suppress(OSError):
                inodes.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found
