"""The dashboard's server answers to this machine only."""

import http.client
import socket
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import pytest

from nasablate.cli.localhost import ADDRESS, local_server


def hello(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


@contextmanager
def serving() -> Generator[int]:
    server = local_server(lambda: hello, 0, or_any=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def status(port: int, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=10)
    connection.request("GET", "/", headers=headers)
    code = connection.getresponse().status
    connection.close()
    return code


def test_host_must_be_this_machine_and_port() -> None:
    with serving() as port:
        for name in ("localhost", "127.0.0.1", "LocalHost"):
            assert status(port, {"Host": f"{name}:{port}"}) == 200
        for host in ("evil.example", f"evil.example:{port}", "localhost", f"localhost:{port + 1}"):
            assert status(port, {"Host": host}) == 403


def test_origin_must_be_the_page_itself() -> None:
    with serving() as port:
        host = f"127.0.0.1:{port}"
        assert status(port, {"Host": host, "Origin": f"http://{host}"}) == 200
        assert status(port, {"Host": host, "Origin": "http://evil.example"}) == 403
        assert status(port, {"Host": host, "Origin": "null"}) == 403


def test_taken_port_falls_back_only_if_asked() -> None:
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = local_server(lambda: hello, port, or_any=True)
        assert server.server_port != port
        assert server.server_address[0] == ADDRESS
        server.server_close()
        with pytest.raises(OSError, match="in use"):
            local_server(lambda: hello, port, or_any=False)
