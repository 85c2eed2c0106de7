"""Installs the Debian packages that the tests need: ``python -m tools.system_packages``.

`make test` runs it first. It installs only as root and where there is an apt-get; otherwise, and
where apt-get fails, it prints what is missing. Tests that need a missing package are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess

PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "poppler-utils": ("pdftotext",),
}
"""The programs of each package; any one of them is enough."""

# A mirror that cannot be reached must not hold up the tests.
_APT = ("apt-get", "-qq", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1")


def program(package: str) -> str | None:
    """The path of a program of the package, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS[package])), None)


def missing() -> list[str]:
    """The packages of which no program is on the PATH."""
    return [package for package in PROGRAMS if program(package) is None]


def install(packages: list[str]) -> None:
    """Try to install packages; whether that worked is for `missing` to say."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--no-install-recommends", *packages]):
        subprocess.run([*_APT, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        install(missing())
    if missing():
        print(f"Some tests will be skipped: install {' and '.join(missing())} to run them.")
