"""A search on two nodes, one of which dies, in a network of their own; see `test_cluster`.

unshare --net python -m tests.search.two_nodes FOLDER
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from nasablate.store import database_exists, open_database
from tests.badinput.command import START, clean_environment

HEAD, OTHER = "127.0.0.1", "127.0.0.2"
PORT = 6379
SURROUNDINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
}


@contextmanager
def ray_node(folder: Path, address: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a node with one CPU and a home of its own."""
    folder.mkdir()
    program = "from ray.scripts.scripts import main; main()"
    sizes = ["--num-cpus=1", "--num-gpus=0", "--object-store-memory=80000000"]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "start", "--block", f"--node-ip-address={address}",
         *sizes, *arguments],
        cwd=folder, env=clean_environment({**SURROUNDINGS, "HOME": str(folder)}),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def raylet_of(address: str) -> int | None:
    """Return the process that runs a node's workers, which end with it."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if f"--node_ip_address={address}".encode() in words and words[0].endswith(b"/raylet"):
                return int(path.parent.name)
    return None


def wait_for_raylet(address: str) -> None:
    while raylet_of(address) is None:
        time.sleep(0.2)


def epochs(url: str) -> list[int]:
    """Return how many epochs every trial has."""
    if not database_exists(url):
        return []
    database = open_database(url, create=False)
    study = database.find("far")
    found = [] if study is None else [len(curve) for curve in study.curves().values()]
    database.close()
    return found


def main(folder: Path) -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    address = f"{HEAD}:{PORT}"
    url = f"sqlite:///{folder}/runs/nasablate.db"
    head = ("--head", f"--port={PORT}", "--include-dashboard=false")
    with ExitStack() as nodes:
        nodes.enter_context(ray_node(folder / "head", HEAD, *head))
        wait_for_raylet(HEAD)
        nodes.enter_context(ray_node(folder / "other", OTHER, f"--address={address}"))
        wait_for_raylet(OTHER)
        command = ["search", "s.yaml", "--address", address]
        with subprocess.Popen(
            [sys.executable, "-c", START, *command], cwd=folder,
            env=clean_environment(SURROUNDINGS), stdin=subprocess.DEVNULL,
        ) as search:  # fmt: skip
            while search.poll() is None and sum(count >= 2 for count in epochs(url)) < 2:
                time.sleep(0.2)
            victim = raylet_of(OTHER)
            if search.poll() is None and victim is not None:
                os.kill(victim, signal.SIGKILL)
        return search.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
