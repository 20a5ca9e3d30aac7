"""A real browser without a window: Chromium, spoken to over pipes in its debugging protocol."""

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode
from fcntl import F_DUPFD_CLOEXEC, fcntl
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
          "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
          "--host-resolver-rules=MAP * ~NOTFOUND")  # fmt: skip


def axe_script() -> str | None:
    """Return axe-core's script if it is there: $AXE_CORE names a newer one than the package has."""
    named, package = os.environ.get("AXE_CORE"), find_spec("axe_core_python")
    folders = () if package is None else package.submodule_search_locations or ()
    places = [Path(named)] if named else []
    places += [Path(folder) / "axe.min.js" for folder in folders]
    return next((place.read_text("utf-8") for place in places if place.is_file()), None)


def _high(ends: tuple[int, int]) -> tuple[int, int]:
    """Return a pipe whose ends are not 3 and 4, which the browser reads and writes."""
    first, second = (fcntl(end, F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return first, second


class Browser:
    """One page at a time; what goes wrong in it is kept."""

    def __init__(self) -> None:
        assert CHROMIUM is not None
        self._folder = tempfile.TemporaryDirectory(prefix="browser")
        to_read, self._to = _high(os.pipe())
        self._from, from_write = _high(os.pipe())

        def arrange() -> None:
            os.dup2(to_read, 3)
            os.dup2(from_write, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"],
            preexec_fn=arrange,  # noqa: PLW1509 - it calls nothing that could wait
            close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(from_write)
        self._count, self._buffer = 0, b""
        self._session: str | None = None
        self.troubles: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        found = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def close(self) -> None:
        """End the browser that was started here."""
        try:
            self._session = None
            self._call("Browser.close")
        finally:
            self._process.wait(timeout=30)
            os.close(self._to)
            os.close(self._from)
            self._folder.cleanup()

    def open(
        self, path: Path, *, width: int = 1280, dark: bool = False, scripts: bool = True
    ) -> None:
        """Open a file and wait until it and its figures stand."""
        self.troubles.clear()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        self._call("Page.navigate", url=path.resolve().as_uri())
        self._wait("Page.loadEventFired")

    def evaluate(self, text: str) -> Any:
        """Return what a JavaScript expression gives; promises are waited for."""
        found = self._call(
            "Runtime.evaluate", expression=text, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a picture."""
        found = self._call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.write_bytes(b64decode(found["data"]))

    def print(self) -> bytes:
        """Return the page as it is printed."""
        found = self._call("Page.printToPDF", printBackground=True)
        return b64decode(found["data"])

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        self._write(json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._count:
                assert "error" not in found, found
                return found["result"]
            self._hear(found)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._to, data) :]

    def _wait(self, event: str) -> None:
        while True:
            found = self._read()
            self._hear(found)
            if found.get("method") == event:
                return

    def _hear(self, found: dict[str, Any]) -> None:
        params = found.get("params", {})
        match found.get("method"):
            case "Runtime.exceptionThrown":
                self.troubles.append(json.dumps(params["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "warning"}:
                self.troubles.append(json.dumps(params["args"])[:500])
            case "Log.entryAdded" if params["entry"]["level"] in {"error", "warning"}:
                self.troubles.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                url = params["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:")):
                    self.troubles.append(f"request to {url}")
            case _:
                pass

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            more = os.read(self._from, 1 << 20)
            assert more, "the browser has gone"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
