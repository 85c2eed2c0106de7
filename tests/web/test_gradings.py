"""Gradings in the background: told while they run, ended with the page that waits for them."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.web.conftest import Client, start

FOREVER = "while True:\n    pass\n"


def descendants(pid: int) -> set[int]:
    """The processes that a process and its children have started and that still run."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found = {pid}
    while more := {p for p, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Client]]:
    process, client = start(tmp_path)
    client.enter()
    yield process.pid, client
    process.terminate()
    process.wait(timeout=20)


def listen(client: Client, path: str) -> http.client.HTTPResponse:
    """Open a stream of events and read its first line."""
    connection = http.client.HTTPConnection(client.host, timeout=60)
    connection.request("GET", path, headers={"Cookie": client.cookie, "Connection": "close"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.readline().startswith(b"data: ")
    return answer


def test_closing_the_page_ends_a_grading(server: tuple[int, Client]) -> None:
    """Its processes end, it says that it was cancelled, and no attempt is stored."""
    pid, client = server
    path, _ = client.follow("/exercises/softmax", {"source": FOREVER})
    told = listen(client, f"{path}/events")
    until(lambda: len(descendants(pid)) > 1)
    told.close()
    until(lambda: not descendants(pid))
    assert "<h1>Cancelled</h1>" in client.ask("GET", path).text
    assert "tried" not in client.ask("GET", "/exercises").text


def test_a_page_that_listens_keeps_its_grading_and_is_told_the_end(
    server: tuple[int, Client],
) -> None:
    _, client = server
    source = Path("solutions/softmax.py").read_text("utf-8")
    path, _ = client.follow("/exercises/softmax", {"source": source})
    connection = http.client.HTTPConnection(client.host, timeout=120)
    connection.request("GET", f"{path}/events", headers={"Cookie": client.cookie})
    told = connection.getresponse().read().decode()  # ends with the grading
    assert told.count("data: ") > 2 and told.endswith("event: over\ndata: 0\n\n")
    assert ": passed</h1>" in client.ask("GET", path).text


def test_more_gradings_than_cores_wait_and_are_told_so(server: tuple[int, Client]) -> None:
    """One a core; the page of the next one says how many are before it."""
    _, client = server
    cores = len(os.sched_getaffinity(0))
    paths = [client.follow("/exercises/softmax", {"source": FOREVER})[0] for _ in range(cores + 1)]
    said = client.ask("GET", paths[-1]).text
    assert f"waiting until a core is free, {cores} before it" in said
    for path in paths:
        client.ask("POST", f"{path}/cancel", {})
        assert "<h1>Cancelled</h1>" in client.ask("GET", path).text


@pytest.mark.parametrize(
    "path", ["relative.py", "", "/etc/passwd", "~nobody/x.py", "/no/such.py", "/dev/zero"]
)
def test_what_is_no_file_of_python_is_not_read(server: tuple[int, Client], path: str) -> None:
    _, client = server
    answer = client.ask("POST", "/exercises/softmax/file", {"path": path})
    assert answer.status == 400 and "root:" not in answer.text


def test_ctrl_c_ends_it_at_once_while_a_page_listens(tmp_path: Path) -> None:
    """Nothing is said of it, and no process stays."""
    process, client = start(tmp_path)
    client.enter()
    path, _ = client.follow("/exercises/softmax", {"source": FOREVER})
    told = listen(client, f"{path}/events")
    until(lambda: len(descendants(process.pid)) > 1)
    began = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert told.read().endswith(b"\n\n")
    until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in began))
