"""Serves a WSGI application to this machine only.

A page of another site can make a browser send requests to 127.0.0.1. Such a request carries a
foreign name in ``Host`` (after DNS rebinding) or in ``Origin``; both are refused.
"""

import errno
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ADDRESS = "127.0.0.1"
_NAMES = ("localhost", "127.0.0.1", "[::1]")


class LocalOnly:
    """Middleware that answers 403 unless ``Host`` and ``Origin`` name this machine and port."""

    def __init__(self, inner: "WSGIApplication", port: int) -> None:
        self._inner = inner
        self._hosts = {f"{name}:{port}" for name in _NAMES}
        if port == 80:
            self._hosts |= set(_NAMES)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Pass the request on, or refuse it."""
        host = str(environ.get("HTTP_HOST", "")).lower()
        origin = environ.get("HTTP_ORIGIN")
        same_site = origin is None or str(origin).lower().removeprefix("http://") in self._hosts
        if host in self._hosts and same_site:
            return self._inner(environ, start_response)
        body = b"403: this server answers only to localhost\n"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("403 Forbidden", headers)
        return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Log nothing: the terminal belongs to the user."""


def local_server(
    make_app: "Callable[[], WSGIApplication]", port: int, *, or_any: bool
) -> WSGIServer:
    """Bind a threaded server to 127.0.0.1; the caller runs ``serve_forever``.

    Args:
        make_app: Makes the application, once the port is known to be free.
        port: Port to try first.
        or_any: Take any free port if that one is taken.

    Raises:
        OSError: the port is taken and ``or_any`` is false.
    """
    try:
        server = _bind(port)
    except OSError as error:
        if not or_any or error.errno != errno.EADDRINUSE:
            raise
        server = _bind(0)
    server.set_app(LocalOnly(make_app(), server.server_port))
    return server


def _bind(port: int) -> WSGIServer:
    return make_server(ADDRESS, port, _no_app, server_class=_Server, handler_class=_QuietHandler)


def _no_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    raise AssertionError(environ, start_response)
