"""The mock interview as pages: what is stored is what the terminal stores, and either goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.quiz.interview import Asked, Begun, Coded, Ended, Log, Paused, latest
from quizprep.store import Store
from tests.web.conftest import Answer, Client, start

LIBRARY = Library(shipped_root())


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A server of one test: there is one interview at a time."""
    process, made = start(tmp_path)
    made.enter()
    yield made
    process.kill()
    process.wait(timeout=20)


def log_of(client: Client) -> Log:
    """The latest interview as it is stored."""
    with Store.open(client.home) as store:
        log = latest(store)
    assert log is not None
    return log


def hidden(page: Answer, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def skip(client: Client) -> Answer:
    """Skip the part that is open, and open the next."""
    part = hidden(client.ask("GET", "/mock"), "part")
    client.ask("POST", "/mock/skip", {"part": part})
    return client.ask("GET", "/mock")


def begin(client: Client, minutes: int = 45) -> Answer:
    return client.follow("/mock", {"minutes": str(minutes), "level": ""})[1]


def test_an_answer_is_kept_once_and_the_next_part_is_asked(client: Client) -> None:
    page = begin(client)
    assert "minute" in page.text.lower()
    form = {"part": hidden(page, "part"), "reply": "Whatever <script>alert(1)</script> it is."}
    for _ in range(3):  # a form that is sent again
        assert client.ask("POST", "/mock/answer", form).status == 303
    steps = [step for step in log_of(client).steps if isinstance(step, Asked)]
    assert [step.question for step in steps] == [form["part"]]
    assert hidden(client.ask("GET", "/mock"), "part") != form["part"]
    with Store.open(client.home) as store:
        assert len(store.reviews(form["part"])) == 1


def test_the_debrief_ends_it_and_holds_what_was_said_as_text(client: Client) -> None:
    page = begin(client)
    form = {"part": hidden(page, "part"), "reply": "<script>alert(1)</script> and a cache."}
    client.ask("POST", "/mock/answer", form)
    for _ in range(20):
        if client.ask("GET", "/mock").status == 303:
            break
        skip(client)
    debrief = client.ask("GET", "/mock/debrief").text
    assert "&lt;script&gt;alert(1)" in debrief and "<script>alert" not in debrief
    assert "Summary" in debrief and "You skipped it." in debrief
    log = log_of(client)
    assert isinstance(log.steps[-1], Ended)
    assert any(isinstance(step, Coded) and step.skipped for step in log.steps)
    again = client.ask("GET", "/mock/debrief")
    assert again.status == 200 and len(log_of(client).steps) == len(log.steps)
    assert "Begin" in client.ask("GET", "/mock").text


def test_what_was_heard_wrongly_is_corrected_and_stored(client: Client) -> None:
    page = begin(client)
    part = hidden(page, "part")
    client.ask("POST", "/mock/answer", {"part": part, "reply": "nothing of it"})
    for _ in range(20):
        if client.ask("GET", "/mock").status == 303:
            break
        skip(client)
    _, better = client.follow("/mock/correct", {"question": part, "flip": "a"})
    assert better.status == 200
    with Store.open(client.home) as store:
        assert store.reviews(part)[0].score > 0


def test_begun_here_it_ends_in_the_terminal(client: Client) -> None:
    """The terminal goes on after the page's last step, and the page shows the terminal's end."""
    first = hidden(begin(client), "part")
    client.ask("POST", "/mock/answer", {"part": first, "reply": "one"})
    client.ask("POST", "/mock/leave", {"visit": hidden(client.ask("GET", "/mock"), "visit")})
    assert isinstance(log_of(client).steps[-1], Paused)
    environment = {**os.environ, "QUIZPREP_HOME": str(client.home), "EDITOR": "", "VISUAL": ""}
    done = subprocess.run(
        [sys.executable, "-m", "quizprep", "mock", "--plain"],
        input="s\n" * 30,
        text=True,
        capture_output=True,
        env=environment,
        timeout=60,
    )
    assert "Going on with the interview" in done.stdout and "Summary" in done.stdout
    steps = log_of(client).steps
    assert isinstance(steps[-1], Ended)
    assert [s.question for s in steps if isinstance(s, Asked)].count(first) == 1
    assert "Summary" in client.ask("GET", "/mock/debrief").text


def test_begun_in_the_terminal_it_goes_on_here(client: Client) -> None:
    environment = {**os.environ, "QUIZPREP_HOME": str(client.home)}
    subprocess.run(
        [sys.executable, "-m", "quizprep", "mock", "--plain", "--seed", "3"],
        input="s\nq\n",
        text=True,
        capture_output=True,
        env=environment,
        timeout=60,
    )
    assert "One is unfinished" in client.ask("GET", "/").text
    begun = log_of(client).steps[0]
    assert isinstance(begun, Begun)
    part = hidden(client.ask("GET", "/mock"), "part")
    assert part != begun.openings[0]
    skip(client)
    assert part in [s.question for s in log_of(client).steps if isinstance(s, Asked)]


def test_only_the_page_that_is_open_stops_the_clock(client: Client) -> None:
    """A page that was left for the next one, or loaded again, closes after the newer one opens."""
    old = hidden(begin(client), "visit")
    new = hidden(client.ask("GET", "/mock"), "visit")
    client.ask("POST", "/mock/leave", {"visit": old})
    assert not any(isinstance(step, Paused) for step in log_of(client).steps)
    client.ask("POST", "/mock/leave", {"visit": new})
    client.ask("POST", "/mock/leave", {"visit": new})
    assert [isinstance(step, Paused) for step in log_of(client).steps].count(True) == 1


def test_a_kernel_that_passes_is_kept_as_a_step(client: Client) -> None:
    begin(client)
    page = client.ask("GET", "/mock")
    for _ in range(20):
        if 'id="source"' in page.text:
            break
        page = skip(client)
    exercise = hidden(page, "part")
    assert "interviewer asks" not in page.text
    source = LIBRARY.exercise(exercise).solution.read_text("utf-8")
    path, page = client.follow("/mock/kernel", {"part": exercise, "source": source})
    deadline = time.monotonic() + 120
    while 'http-equiv="refresh"' in page.text and time.monotonic() < deadline:
        page = client.ask("GET", path)
    assert ": passed</h1>" in page.text and 'href="/mock"' in page.text
    coded = [step for step in log_of(client).steps if isinstance(step, Coded)]
    assert coded == [Coded(exercise, True)]
    assert client.ask("GET", "/mock").headers["location"] == "/mock/debrief"


def test_sizes_and_levels_that_are_none_are_told(client: Client) -> None:
    for form in (
        {"minutes": "4"},
        {"minutes": "181"},
        {"minutes": "<script>"},
        {"minutes": "45", "level": "../x"},
    ):
        answer = client.ask("POST", "/mock", form)
        assert answer.status == 400 and "<script>" not in answer.text.split("<main")[1]


def test_a_killed_server_keeps_every_step_that_it_acknowledged(tmp_path: Path) -> None:
    """SIGKILL after each answer; a new server asks what comes next."""
    done: list[str] = []
    for number in range(3):
        process, client = start(tmp_path)
        client.enter()
        page = begin(client) if number == 0 else client.ask("GET", "/mock")
        part = hidden(page, "part")
        assert part not in done
        if client.ask("POST", "/mock/answer", {"part": part, "reply": "a"}).status == 303:
            done.append(part)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
    asked = [step.question for step in log_of(client).steps if isinstance(step, Asked)]
    assert asked == done and done
