"""Each kind of question in the browser: a right, a wrong and an unreadable reply, and a bank whose
texts look like markup."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import BANK
from tests.web.conftest import Answer, Client, start

SCRIPT = "<script>alert(1)</script>"

SERVE = """
import sys
from pathlib import Path
from quizprep.content.library import Library
from quizprep.web.server import serve
serve(Library(Path(sys.argv[1])), False, lambda text: print(text, flush=True))
"""

RIGHT = {
    "By what are the scores divided": ("a", "b", "c"),
    "What does a cache keep": ("ab", "ac", "ad", "bc", "bd", "cd"),
    "how many KiB": ("128 KiB", "256 KiB"),
    "Put the steps": (),  # found by the texts of the steps
    "How do the flops": ("O(n w d)",),
    "Hidden scores": ("-inf",),
    "What does this print": ("1 0 0\n1 1 0\n1 1 1",),
    "Why are scores divided": (
        "The variance grows with d, so the softmax saturates and gradients vanish.",
    ),
}
"""Replies by the beginning of a question, one of which is right whatever was drawn."""

WRONG = {
    "how many KiB": "7 KiB",
    "Put the steps": "",
    "How do the flops": "n^4",
    "Hidden scores": "zero",
    "What does this print": "7",
    "Why are scores divided": "I do not know.",
}

UNREADABLE = {
    "By what are the scores divided": "z",
    "What does a cache keep": "zz",
    "how many KiB": SCRIPT,
    "Put the steps": "a",
    "How do the flops": SCRIPT,
}
"""Kinds of which a reply may be unreadable; any text is a reply to the others."""

STEPS = ("Find the largest score.", "Subtract it.", "Exponentiate.", "Divide by the sum.")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    root, home = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    shutil.copytree(BANK, root / "questions")
    (root / "exercises").mkdir()
    file = root / "questions" / "sample.yaml"
    text = file.read_text("utf-8")
    for place in ("By {d}.", "You counted K", "Later queries", "The variance of a product"):
        text = text.replace(place, f"{SCRIPT} {place}")
    file.write_text(text, "utf-8")
    process, made = start(home, program=("-c", SERVE, str(root)))
    made.enter()
    yield made
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture(scope="module")
def paths(client: Client) -> dict[str, str]:
    """The page of every question, by its beginning; all are open at once, so none comes twice."""
    found: dict[str, str] = {}
    for _ in RIGHT:
        path, page = client.follow("/ask", {"again": "1"})
        text = " ".join(page.text.split())
        (beginning,) = (each for each in RIGHT if each in text)
        found[beginning] = path
    return found


def in_order(page: Answer) -> str:
    """The letters of the steps of a softmax in their right order."""
    found = re.findall(r'<li data-letter="(\w)">.*?</span>\s*(.*?)</li>', page.text, re.S)
    by_text = {re.sub(r"<[^>]+>", "", text).strip(): letter for letter, text in found}
    return "".join(by_text[step] for step in STEPS)


def heading(client: Client, beginning: str, path: str, reply: str) -> str:
    """What the page of a mark says; "" for a reply that could not be read. It is taken back."""
    page = client.ask("GET", path)
    if beginning == "Put the steps" and len(reply) != 1:
        reply = in_order(page)[:: 1 if reply else -1]
    answer = client.ask("POST", path, {"reply": reply})
    if answer.status == 303:
        answer = client.ask("GET", path)
    assert SCRIPT not in page.text + answer.text
    if "nothing is lost" in answer.text:
        return ""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text)
    assert found is not None
    client.follow(f"{path}/back", {})
    return found[1]


@pytest.mark.parametrize("beginning", RIGHT)
def test_a_right_reply_is_right(client: Client, paths: dict[str, str], beginning: str) -> None:
    said = [
        heading(client, beginning, paths[beginning], reply)
        for reply in RIGHT[beginning] or ("right",)
    ]
    assert "Right" in said


@pytest.mark.parametrize("beginning", WRONG)
def test_a_wrong_reply_is_wrong(client: Client, paths: dict[str, str], beginning: str) -> None:
    assert heading(client, beginning, paths[beginning], WRONG[beginning]) == "Wrong"


@pytest.mark.parametrize("beginning", UNREADABLE)
def test_an_unreadable_reply_costs_nothing(
    client: Client, paths: dict[str, str], beginning: str
) -> None:
    assert heading(client, beginning, paths[beginning], UNREADABLE[beginning]) == ""


@pytest.mark.parametrize(
    ("beginning", "reply", "reading"),
    [
        ("how many KiB", "64 GiB", "understood as 64 GiB"),
        ("how many KiB", "2*64", "understood as 128 KiB"),
        ("how many KiB", "3 seconds", "does not fit here"),
        ("how many KiB", SCRIPT, "not read yet"),
        ("How do the flops", "O(n²d)", "understood as n^2*d"),
        ("How do the flops", "n*q", "not read yet"),
        ("Hidden scores", "0", ""),
    ],
)
def test_what_is_typed_is_read_by_the_parser_that_marks_it(
    client: Client, paths: dict[str, str], beginning: str, reply: str, reading: str
) -> None:
    """As plain text, and with no word on whether it is right."""
    answer = client.ask("POST", f"{paths[beginning]}/reading", {"reply": reply})
    assert answer.headers["content-type"].startswith("text/plain")
    assert reading in answer.text and (reading or not answer.text)


def test_the_cookie_of_an_earlier_server_opens_nothing(tmp_path: Path, client: Client) -> None:
    """Even on the same port under the same name."""
    process, other = start(tmp_path)
    other.enter()
    name = client.cookie.partition("=")[0]
    stolen = f"{name}={other.cookie.partition('=')[2]}"
    assert client.ask("GET", "/", headers={"Cookie": stolen}).status == 403
    process.terminate()
    process.wait(timeout=20)


def test_a_form_of_json_with_markup_is_no_reply(client: Client, paths: dict[str, str]) -> None:
    path = paths["Hidden scores"]
    body = f'{{"reply": "{SCRIPT}"}}'.encode()
    answer = client.ask("POST", path, body, headers={"Content-Type": "application/json"})
    assert SCRIPT not in answer.text and SCRIPT not in client.ask("GET", path).text
