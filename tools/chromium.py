"""The system's Chromium without a screen, driven by Playwright, for tests and `make pictures`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tools.system_packages import program

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No host name resolves, so that nothing can come from a network.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


PATIENCE = 120_000
"""Milliseconds that a step may take; far more than any does, since machines may be busy."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"), args=ARGUMENTS, timeout=PATIENCE
        )
        yield browser
        browser.close()


@contextmanager
def window(
    browser: Browser, width: int = 1000, height: int = 900, dark: bool = False
) -> Iterator[Page]:
    """An empty page in a window of this many CSS pixels, for a reader who prefers light or dark."""
    scheme = "dark" if dark else "light"
    # `is_mobile` stays off: a phone would zoom out of what overflows, and hide it.
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    yield page
    page.close()
