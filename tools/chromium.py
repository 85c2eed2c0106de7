"""A Chromium without a window, for looking at pages: tests measure, `make pictures` takes them.

Spoken to over two pipes in the DevTools protocol, so that it needs no package and opens no port.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 120.0
"""Seconds until an answer; far more than any takes, since machines may be busy."""

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    # Whatever is asked for by name is not found: nothing can come from a network.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


def found() -> str | None:
    """The path of a Chromium, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Refused(Exception):
    """Chromium answered with an error, or not at all."""


@dataclass(frozen=True)
class View:
    """How a page is looked at.

    width, height  in CSS pixels
    scheme         what the reader prefers: light or dark
    media          screen or print
    scale          device pixels for a CSS pixel
    """

    width: int = 1000
    height: int = 900
    scheme: str = "light"
    media: str = "screen"
    scale: float = 1


@dataclass
class Page:
    """An open page. ``requested`` holds every address that it asked for."""

    browser: Chromium
    session: str
    requested: list[str] = field(default_factory=list)

    def evaluate(self, script: str) -> Any:
        """The value of an expression, or of the promise that it is."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self._call("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            raise Refused(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self) -> bytes:
        """What is seen, as PNG."""
        return base64.b64decode(self._call("Page.captureScreenshot", {"format": "png"})["data"])

    def pdf(self) -> bytes:
        """The page as it is printed, on its own paper size."""
        asked = {"preferCSSPageSize": True, "printBackground": False}
        return base64.b64decode(self._call("Page.printToPDF", asked)["data"])

    def _call(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        return self.browser.call(method, asked, self.session)


class Chromium:
    """A running browser; to be used in a ``with`` statement."""

    def __enter__(self) -> Self:
        path = found()
        if path is None:
            raise Refused("There is no Chromium on the PATH.")
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        # It reads file descriptor 3 and writes 4; a shell puts our pipes there.
        shift = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", shift, "sh", path, *_OPTIONS, f"--user-data-dir={self._profile.name}"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        self._held = b""
        self._number = 0
        self._pages: dict[str, Page] = {}
        self._loaded: set[str] = set()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close", {})
            self._process.wait(10)
        except (Refused, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._profile.cleanup()

    @contextmanager
    def page(self, path: Path, view: View) -> Iterator[Page]:
        """A file, loaded and looked at; closed afterwards."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        attached = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self, attached["sessionId"])
        self._pages[page.session] = page

        def ask(method: str, **asked: Any) -> None:
            self.call(method, asked, page.session)

        ask("Page.enable")
        ask("Network.enable")
        ask(
            "Emulation.setDeviceMetricsOverride",
            width=view.width,
            height=view.height,
            deviceScaleFactor=view.scale,
            # A phone would zoom out of what overflows, and hide it.
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": view.scheme}
        ask("Emulation.setEmulatedMedia", media=view.media, features=[scheme])
        ask("Page.navigate", url=path.resolve().as_uri())
        self._until(lambda: page.session in self._loaded)
        try:
            yield page
        finally:
            self.call("Target.closeTarget", {"targetId": target})
            self._pages.pop(page.session, None)

    def call(self, method: str, asked: dict[str, Any], session: str = "") -> dict[str, Any]:
        """The result of one command; raises Refused."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": asked}
        if session:
            message["sessionId"] = session
        left = memoryview(json.dumps(message).encode() + b"\0")
        while left:
            left = left[os.write(self._out, left) :]
        answer: dict[str, Any] = {}

        def arrived() -> bool:
            return bool(answer)

        self._until(arrived, lambda m: answer.update(m) if m.get("id") == number else None)
        if "error" in answer:
            raise Refused(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def _until(self, done: Any, see: Any = lambda _: None) -> None:
        """Read messages until done."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            ready, _, _ = select.select([self._in], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self._in, 1 << 20) if ready else b""
            if not data:
                raise Refused("Chromium ended or did not answer.")
            *whole, self._held = (self._held + data).split(b"\0")
            for raw in whole:
                message = json.loads(raw)
                self._note(message)
                see(message)

    def _note(self, message: dict[str, Any]) -> None:
        session = message.get("sessionId", "")
        if message.get("method") == "Page.loadEventFired":
            self._loaded.add(session)
        if message.get("method") == "Network.requestWillBeSent" and session in self._pages:
            self._pages[session].requested.append(message["params"]["request"]["url"])
