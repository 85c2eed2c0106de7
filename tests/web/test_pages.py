"""What the pages do: answers are stored once, gradings end in a verdict, nothing becomes markup."""

from __future__ import annotations

import contextlib
import http.client
import random
import re
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from tests.web.conftest import Answer, Client, start

LIBRARY = Library(shipped_root())


def reviews(client: Client) -> int:
    """How many answers the store holds."""
    (file,) = (
        path for path in client.home.iterdir() if path.suffix in (".db", ".sqlite", ".sqlite3")
    )
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as sql:
        return int(sql.execute("select count(*) from reviews").fetchone()[0])


def graded(client: Client, exercise: str, source: str) -> Answer:
    """The page of a verdict, once there is one."""
    path, page = client.follow(f"/exercises/{exercise}", {"source": source})
    deadline = time.monotonic() + 120
    while 'http-equiv="refresh"' in page.text and time.monotonic() < deadline:
        page = client.ask("GET", path)
    return page


def answered(client: Client) -> tuple[str, dict[str, str]]:
    """A question's page and the answer that it took; one that took neither is left."""
    for _ in range(10):
        path, page = client.follow("/ask", {"topic": "scaling", "again": "1"})
        assert "Answer" in page.text
        for reply in ({"reply": "a"}, {"reply": "1"}):
            found = client.ask("POST", path, reply)
            if found.status == 303:
                return path, reply
            assert found.status == 200
            assert "nothing is lost" in found.text  # it could not be read, which costs nothing
    raise AssertionError("ten questions took neither a letter nor a number")


def test_an_answer_is_stored_once_however_often_it_is_sent(client: Client) -> None:
    """A reload of the form changes nothing, and the page can be opened again."""
    path, reply = answered(client)
    stored = reviews(client)
    assert stored >= 1
    assert client.ask("POST", path, reply).status == 303
    assert client.ask("POST", path, {"reply": "b"}).status == 303
    assert reviews(client) == stored
    assert "<h2>Why</h2>" in client.ask("GET", path).text


def test_an_answer_is_taken_back_and_given_again(client: Client) -> None:
    """Once, however often the button is pressed; then the question is open again."""
    for _ in range(10):
        path, _page = client.follow("/ask", {"again": "1"})
        if client.ask("POST", path, {"reply": "a"}).status == 303:
            break
    assert "<h2>Why</h2>" in client.ask("GET", path).text
    _, page = client.follow(f"{path}/back", {})
    assert "<h1>Question</h1>" in page.text
    client.follow(f"{path}/back", {})
    assert client.ask("POST", path, {"reply": "a"}).status == 303
    assert "<h2>Why</h2>" in client.ask("GET", path).text


def options(page: Answer) -> list[str]:
    """The texts of the options, in the order of their letters."""
    found = re.findall(
        r'<span class="letter">\w</span>\s*<span>(.*?)</span></label>', page.text, re.S
    )
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in found]


def test_two_pages_of_one_question_are_marked_each_by_its_own_order(client: Client) -> None:
    """The same question, open twice with its options shuffled anew: both can be answered, a letter
    means what its page shows, and each takes back its own answer."""
    open_pages: dict[frozenset[str], list[tuple[str, list[str]]]] = {}
    pair: list[tuple[str, list[str]]] = []
    # Once all questions of a topic are open, its first one is asked again and again.
    sizes = {topic: len(bank.questions) for topic, bank in LIBRARY.banks.items()}
    for topic in (topic for topic, size in sizes.items() for _ in range(size + 9)):
        path, page = client.follow("/ask", {"topic": topic, "again": "1"})
        shown = options(page)
        if 'type="radio"' not in page.text or not shown:
            continue
        pages = open_pages.setdefault(frozenset(shown), [])
        pages.append((path, shown))
        if pages[0][1] != shown:
            pair = [pages[0], (path, shown)]
            break
    assert pair
    first = pair[0][1][0]
    heads = set()
    for path, shown in pair:
        letter = "abcdefgh"[shown.index(first)]
        assert client.ask("POST", path, {"reply": letter}).status == 303
        heads.add(re.search(r"<h1[^>]*>(.*?)</h1>", client.ask("GET", path).text)[1])  # type: ignore[index]
    assert len(heads) == 1
    stored = reviews(client)
    for path, _shown in pair:
        _, page = client.follow(f"{path}/back", {})
        assert "<h1>Question</h1>" in page.text
    assert reviews(client) == stored


def test_what_was_typed_survives_a_hint(client: Client) -> None:
    """Code in the form, and a reply."""
    source = "# typed before the hint\n"
    client.follow("/exercises/attention/hint", {"source": source})
    assert source.strip() in client.ask("GET", "/exercises/attention").text
    for _ in range(60):
        path, page = client.follow("/ask", {"again": "1"})
        if 'input id="reply"' in page.text:
            _, page = client.follow(f"{path}/hint", {"reply": "half an answer"})
            assert "half an answer" in page.text
            return
    raise AssertionError("no question with a field")


def test_nothing_to_grade_changes_nothing(client: Client) -> None:
    client.ask("POST", "/exercises/rope/draft", b"# kept\n")
    assert client.ask("POST", "/exercises/rope", {"other": "x"}).status == 400
    assert "# kept" in client.ask("GET", "/exercises/rope").text


def test_hints_are_given_and_end(client: Client) -> None:
    path, page = client.follow("/ask", {"topic": "masking"})
    for _ in range(6):
        _, page = client.follow(f"{path}/hint", {})
    assert "There are no more hints." in page.text


def test_a_wrong_answer_to_an_exercise_shows_its_mistake_line_and_mask(client: Client) -> None:
    source = (Path("tests/blind/causal_mask/strict_mask__1.py")).read_text("utf-8")
    page = graded(client, "causal_mask", source)
    assert "strict_mask" in page.text and "not passed" in page.text
    assert 'class="marked"' in page.text and "differs" in page.text
    assert "Ask me about masking" in page.text


def test_a_right_answer_shows_the_price_of_each_line_and_the_solution(client: Client) -> None:
    source = (Path("tests/blind/causal_mask/right_2.py")).read_text("utf-8")
    page = graded(client, "causal_mask", source)
    assert "2*b*h*n*m*d" in page.text and "peak of memory" in page.text
    assert "From yours to the solution" in page.text
    assert source.splitlines()[9].strip() in client.ask("GET", "/exercises/causal_mask").text


def test_nothing_of_a_submission_is_markup(client: Client) -> None:
    """Neither its text, nor what it prints or raises."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    source = f'print("{evil}")\n# {evil}\n\ndef softmax(x):\n    raise ValueError("{evil}")\n'
    page = graded(client, "softmax", source)
    assert "ValueError" in page.text and "<img" not in page.text
    assert not re.search(r"<script>", page.text)
    assert "<script>alert" not in client.ask("GET", "/exercises/softmax").text


def test_a_draft_is_kept_and_the_starter_comes_back(client: Client) -> None:
    client.ask("POST", "/exercises/rope/draft", b"# my draft\n")
    assert "# my draft" in client.ask("GET", "/exercises/rope").text
    _, page = client.follow("/exercises/rope/starter", {})
    assert "# my draft" not in page.text


def test_hints_of_an_exercise_are_counted(client: Client) -> None:
    _, page = client.follow("/exercises/alibi/hint", {})
    assert "Hint 1:" in page.text and "Hint 2:" not in page.text


def test_what_is_not_there_is_told(client: Client) -> None:
    for path in ("/exercises/no_such", "/sheets/no_such", "/ask/none", "/gradings/4711"):
        answer = client.ask("GET", path)
        assert answer.status == 400 and "That did not work" in answer.text


def test_every_topic_and_exercise_has_its_page(client: Client) -> None:
    """Tasks, tables and mathematics of all content can be set."""
    for exercise in LIBRARY.exercise_ids:
        assert client.ask("GET", f"/exercises/{exercise}").status == 200
    for path in ("/", "/ask", "/exercises", "/progress", "/sheets/scaling"):
        assert client.ask("GET", path).status == 200


def test_a_killed_server_loses_no_answer_that_it_acknowledged(tmp_path: Path) -> None:
    """SIGKILL right after an answer's redirect."""
    process, client = start(tmp_path)
    client.enter()
    acknowledged = 0
    for reply in ("a", "b", "c", "1", "x"):
        path, _ = client.follow("/ask", {})
        acknowledged += client.ask("POST", path, {"reply": reply}).status == 303
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    assert acknowledged and reviews(client) == acknowledged


@pytest.mark.parametrize("after", [0.02, 0.11, 0.23])
def test_a_kill_between_any_two_instructions_loses_nothing(tmp_path: Path, after: float) -> None:
    """SIGKILL while answers are sent: at most the one on its way is stored without its answer."""
    process, client = start(tmp_path)
    client.enter()
    client.follow("/ask", {})  # there is a store
    killer = threading.Timer(after * random.uniform(0.5, 1.5), process.kill)
    killer.start()
    acknowledged = 0
    with contextlib.suppress(OSError, http.client.HTTPException):
        while True:
            path, _ = client.follow("/ask", {})
            if any(
                client.ask("POST", path, {"reply": reply}).status == 303 for reply in ("a", "1")
            ):
                acknowledged += 1
    process.wait(timeout=20)
    assert acknowledged <= reviews(client) <= acknowledged + 1


def test_what_if_computes_with_the_sizes_that_are_given(client: Client) -> None:
    """2 * 80 * 8 * 128 * 131072 * 2 bytes are 40 GiB; a size that is none is told."""
    assert "40 GiB" in client.ask("GET", "/explore").text
    assert "20 GiB" in client.ask("GET", "/explore?bytes=1").text
    wrong = client.ask("GET", "/explore?tokens=-1&layers=x").text
    assert "should be a whole number" in wrong and "40 GiB" in wrong
    page = client.ask("GET", "/explore/causal_mask?b=1&h=1&n=1000&m=1000&d=100").text
    assert "400 million flops" in page
    for exercise in LIBRARY.exercise_ids:
        assert client.ask("GET", f"/explore/{exercise}").status == 200
