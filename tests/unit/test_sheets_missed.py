"""What a learner misses, out of the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from quizprep.content.library import Library
from quizprep.sheets.missed import missed
from quizprep.store import DueMark, Review

QUESTIONS = (
    Library(Path(__file__).parents[1] / "golden" / "sheets" / "bank").bank("small").questions
)
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def log(*answers: tuple[str, float]) -> list[Review]:
    """Answers, an hour apart."""
    return [
        Review(name, START + timedelta(hours=n), 0, "", score, 3, 0, None, "s", n)
        for n, (name, score) in enumerate(answers, 1)
    ]


def test_what_was_right_is_not_missed() -> None:
    """A question that was answered right, or never, is not on the list."""
    assert missed(QUESTIONS, log(("small-open", 1.0)), []) == {}


def test_the_weakest_comes_first() -> None:
    """Questions are in the order of their recent scores, each with a reason."""
    reviews = log(("small-open", 0.5), ("small-number", 0.0), ("small-choice", 1.0))
    found = missed(QUESTIONS, reviews, [])
    assert list(found) == ["small-number", "small-open"]
    assert found["small-number"] == "Answered once, not right, on 2 November 2026."
    assert "partly right" in found["small-open"]


def test_a_question_recovers() -> None:
    """Enough right answers after a miss take a question off the list."""
    answers = [("small-open", 0.0), *[("small-open", 1.0)] * 3]
    assert missed(QUESTIONS, log(*answers[:2]), []) != {}
    assert missed(QUESTIONS, log(*answers), []) == {}


def test_a_mistake_in_an_exercise_counts_until_it_is_answered() -> None:
    """A concept that was brought forward puts its unanswered questions on the list."""
    mark = DueMark("other-idea", "Your kernel forgot the scale.", START)
    found = missed(QUESTIONS, [], [mark])
    assert found == dict.fromkeys(["small-ratio", "small-choice"], mark.reason)
    assert list(missed(QUESTIONS, log(("small-ratio", 1.0)), [mark])) == ["small-choice"]
