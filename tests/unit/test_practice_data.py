"""A learner's practice as data: the learner has the last word on an open answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.errors import UsageError
from quizprep.practice import Practice
from quizprep.store import Store

LIBRARY = Library()
TOPIC, QUESTION = next((topic, q) for topic, q in LIBRARY.questions.values() if isinstance(q, Open))


@pytest.fixture
def practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Practice]:
    """A practice with a home of its own."""
    monkeypatch.setenv("QUIZPREP_HOME", str(tmp_path / "home"))
    made = Practice(LIBRARY)
    yield made
    made.close()


def ask(practice: Practice) -> str:
    """Ask questions of the topic until the open one comes."""
    while True:
        asked = practice.ask(TOPIC)["question"]
        if asked == QUESTION.id:
            return str(asked)
        assert practice.mark(asked, "x")["question"] == asked


def test_what_was_heard_wrongly_is_corrected(practice: Practice) -> None:
    """Rows are flipped by letter, the stored score follows, and letters that are none are told."""
    question = ask(practice)
    marked = practice.mark(question, "I do not know.")
    assert marked["score"] == 0
    assert {row["heard"] for row in marked["heard"]} == {"missing"}
    letters = "".join(row["letter"] for row in marked["heard"])
    with pytest.raises(UsageError, match="letters from a to"):
        practice.correct_mark(question, "?")
    right = practice.correct_mark(question, letters)
    assert right["score"] == 1 and {row["heard"] for row in right["heard"]} == {"said"}
    with Store.open() as store:
        assert store.reviews(question)[-1].score == 1
    with pytest.raises(UsageError, match="No open answer"):
        practice.correct_mark("none", "a")


def test_hints_of_questions_count(practice: Practice) -> None:
    """A hint that was shown before an answer is stored with it."""
    asked = practice.ask(TOPIC)["question"]
    shown = 0
    while practice.question_hint(asked)["hint"] is not None:
        shown += 1
    practice.mark(asked, "a b c d")
    with Store.open() as store:
        reviews = store.reviews(asked)
    assert all(review.hints == shown for review in reviews)
