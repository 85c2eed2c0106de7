"""What ``quizprep web`` takes: until it is ready, for a page of questions, and at rest."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.web.conftest import Client, start

REQUESTS = 50
MOST_MS = 50
"""Milliseconds of the server's processor for a page of questions."""
MOST_MIB = 90
"""MiB of memory that the server takes before anything is graded."""


def ready(home: Path) -> tuple[float, float]:
    """Seconds from the start of the server to its address, and to its first page."""
    begun = time.perf_counter()
    process, client = start(home)
    listening = time.perf_counter() - begun
    try:
        client.enter()
        assert client.ask("GET", "/").status == 200
        return listening, time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()


def at_work(home: Path) -> tuple[float, float]:
    """Milliseconds of the processor for a question: asked, shown and answered; and the resident
    MiB afterwards."""
    process, client = start(home)
    try:
        client.enter()
        _question(client)
        before = _cpu(process.pid)
        for _ in range(REQUESTS):
            _question(client)
        spent = _cpu(process.pid) - before
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return 1000 * spent / REQUESTS, int(resident.split()[1]) / 1024
    finally:
        process.kill()
        process.wait()


def _question(client: Client) -> None:
    path, page = client.follow("/ask", {"again": "1"})
    assert page.status == 200
    assert client.ask("POST", path, {"reply": "a"}).status in (200, 303)


def _cpu(pid: int) -> float:
    """Seconds of the processor that a process took so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
