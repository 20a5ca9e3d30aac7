"""The downloader against a server on this machine that stalls, cuts, corrupts and refuses."""

import hashlib
import os
import re
import resource
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from nasablate.data import catalog
from nasablate.data.download import Patience, download
from nasablate.errors import DataError

CONTENT = os.urandom(1_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
GOES_ON = f"bytes={len(CONTENT) // 2 // 2**14 * 2**14}-"
HASTE = Patience(connect_seconds=1, stall_seconds=0.3, attempts=3, pause_seconds=0.01)
WITHOUT_RANGES = {"ignores range", "a third anew", "half anew"}
SHARES = {"cut": 0.5, "stall": 0.5, "silent": 0, "a third anew": 0.3, "half anew": 0.5}
"""How much of what is announced is sent."""


class Server(BaseHTTPRequestHandler):
    """Serves CONTENT; the first entry of ``plan`` says how this request goes wrong."""

    plan: ClassVar[list[str]] = []
    ranges: ClassVar[list[str | None]] = []
    released: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        kind = self.plan.pop(0) if self.plan else "good"
        self.ranges.append(self.headers.get("Range"))
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if kind in {"404", "503"}:
            self.send_error(int(kind))
            return
        if start >= len(CONTENT):
            self.send_error(416)
            return
        ranges = kind not in WITHOUT_RANGES
        body = CONTENT[start:] if ranges else CONTENT
        partial = start and ranges
        self.send_response(206 if partial else 200)
        if kind != "no length":
            length = 10**15 if kind == "huge" else len(body)
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if kind == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        self.wfile.write(body[: int(len(body) * SHARES.get(kind, 1))])
        self.wfile.flush()
        if kind in {"stall", "silent"}:
            self.released.wait(5)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Server.plan, Server.ranges, Server.released = [], [], threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/file"
    Server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def get(url: str, target: Path, md5: str = MD5) -> list[tuple[int, int | None]]:
    calls: list[tuple[int, int | None]] = []
    download(url, target, md5, lambda have, total: calls.append((have, total)), HASTE)
    return calls


def left(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_good_server(url: str, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file"
    calls = get(url, target)
    assert target.read_bytes() == CONTENT
    assert left(target) == ["file"]
    assert calls[0] == (0, len(CONTENT))
    assert calls[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    "plan",
    [
        ["cut"],
        ["stall"],
        ["503"],
        ["silent"],
        ["cut", "cut", "stall", "cut", "503", "cut"],
        ["cut", "ignores range"],
        ["no length"],
        ["cut", "503", "503"],
    ],
    ids=" ".join,
)
def test_a_bad_server_is_asked_again(url: str, tmp_path: Path, plan: list[str]) -> None:
    Server.plan = list(plan)
    get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert left(tmp_path / "file") == ["file"]
    if plan == ["cut"]:
        assert Server.ranges == [None, GOES_ON]


def test_a_later_call_goes_on(url: str, tmp_path: Path) -> None:
    Server.plan = ["cut", "503", "503", "503"]
    with pytest.raises(DataError, match=r"503 .*\(3 attempts\).*480.0 KiB are kept"):
        get(url, tmp_path / "file")
    assert left(tmp_path / "file") == ["file.part"]
    get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert Server.ranges[-1] == GOES_ON


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 10, 700])
def test_a_foreign_rest_is_replaced(url: str, tmp_path: Path, size: int) -> None:
    (tmp_path / "file.part").write_bytes(bytes(size))
    get(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_whole_rest_needs_no_download(url: str, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    get(url, tmp_path / "file")
    assert left(tmp_path / "file") == ["file"]


def test_a_wrong_sum_leaves_nothing(url: str, tmp_path: Path) -> None:
    Server.plan = ["corrupt"]
    with pytest.raises(DataError, match=f"MD5 sum .* the published one is {MD5}; it was removed"):
        get(url, tmp_path / "file")
    assert left(tmp_path / "file") == []


def test_a_refusal_is_not_repeated(url: str, tmp_path: Path) -> None:
    Server.plan = ["404"]
    with pytest.raises(DataError, match=r"answers 404 .*; check the address, or name a --mirror"):
        get(url, tmp_path / "file")
    assert len(Server.ranges) == 1


def test_a_silent_server_is_given_up(url: str, tmp_path: Path) -> None:
    Server.plan = ["silent"] * 3
    started = time.monotonic()
    with pytest.raises(DataError, match=r"sent nothing for 0.3 s \(3 attempts\); check the netw"):
        get(url, tmp_path / "file")
    assert time.monotonic() - started < 4


def test_a_server_that_sends_the_same_again_is_given_up(url: str, tmp_path: Path) -> None:
    Server.plan = ["a third anew", "half anew"] * 5
    with pytest.raises(DataError, match=r"it broke \(3 attempts\)"):
        get(url, tmp_path / "file")
    assert len(Server.ranges) == 5


def test_no_server(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no connection, or it broke"):
        get("http://127.0.0.1:9/file", tmp_path / "file")


def test_a_full_disk_is_noticed_before(url: str, tmp_path: Path) -> None:
    Server.plan = ["huge"]
    with pytest.raises(DataError, match=r"are free, 909.5 TiB are needed; make room"):
        get(url, tmp_path / "file")


def test_a_disk_that_fills_up_is_one_message_and_keeps_what_came(url: str, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(DataError, match=r"file.part: cannot be written \(File too.*make room"):
            get(url, tmp_path / "file")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    get(url, tmp_path / "file")
    assert Server.ranges[-1] != "bytes=0-"
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_place_that_cannot_be_written(url: str, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("no folder")
    with pytest.raises(DataError, match=r"cannot be written .*; check the rights"):
        get(url, tmp_path / "blocked" / "file")


def test_two_at_once_do_not_disturb_each_other(url: str, tmp_path: Path) -> None:
    Server.plan = ["stall"]
    first = threading.Thread(target=get, args=(url, tmp_path / "file"))
    first.start()
    while not Server.ranges:
        time.sleep(0.01)
    with pytest.raises(DataError, match=r"another process is downloading this file"):
        get(url, tmp_path / "file")
    first.join()
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_fetch_puts_the_archive_where_it_is_found(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path / "root"))
    monkeypatch.setattr(catalog, "MD5", {"cifar10": MD5})
    mirror = re.sub("/file$", "/", url)
    path, new = catalog.fetch("cifar10", lambda *_: None, mirror)
    assert (path, new) == (tmp_path / "root" / "cifar-10-binary.tar.gz", True)
    assert catalog.fetch("cifar10", lambda *_: None, mirror) == (path, False)
    with pytest.raises(DataError, match=r"'mnist' cannot be downloaded; cifar10 can"):
        catalog.fetch("mnist", lambda *_: None)
    path.unlink()
    with pytest.raises(DataError, match=r"must begin with https://"):
        catalog.fetch("cifar10", lambda *_: None, "file:///etc")
