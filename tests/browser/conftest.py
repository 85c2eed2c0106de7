"""What the tests here look at pages with; where the system lacks it they are skipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tools.chromium import chromium
from tools.system_packages import program


def _require(package: str) -> None:
    """Skip the test that needs a package where it is missing."""
    if program(package) is None:
        pytest.skip(f"{package} is missing (Debian: apt-get install {package})")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    _require("chromium")
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def pdftotext() -> None:
    """For tests that run Poppler's pdftotext."""
    _require("poppler-utils")
