"""From a mistake to the questions on its concept, and from there back to the exercise."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from quizprep.content.library import Library, shipped_root
from quizprep.grading.attempts import solution_is_open, store_surrender
from quizprep.grading.loop import store_attempt, topics_behind
from quizprep.grading.verdict import NamedMistake, Stage, Verdict
from quizprep.quiz.selection import Filter, History, Why, plan
from quizprep.quiz.weakness import exercise_for, training_command, training_for, weaknesses
from quizprep.store import Store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LIBRARY = Library(shipped_root())
QUESTIONS = [(topic, q) for topic, bank in LIBRARY.banks.items() for q in bank.questions]
CONCEPT = "causal-mask"


def verdict(*mistakes: NamedMistake, status: str = "fail", passed: bool = False) -> Verdict:
    """A verdict on causal_mask."""
    stages = (
        Stage(name="load", status="pass"),
        Stage(name="correctness", status=status),
        Stage(name="diagnosis", status="pass", mistakes=mistakes),
    )
    return Verdict(exercise="causal_mask", passed=passed, confined=True, seed=1, stages=stages)


MISTAKE = NamedMistake(id="strict_mask", says="The diagonal is hidden.", concept=CONCEPT)


def test_a_named_mistake_comes_back_as_questions_and_leads_to_the_exercise(tmp_path: Path) -> None:
    """Stored, it makes its concept weak, brings its questions forward, and they lead back."""
    with Store.open(tmp_path) as store:
        store_attempt(store, verdict(MISTAKE), NOW)
        assert [attempt.mistakes for attempt in store.attempts()] == [("strict_mask",)]
        history = History.of(store)
    (weak,) = weaknesses([q for _, q in QUESTIONS], history.answers, history.marks)
    assert (weak.concept, weak.mistake) == (
        CONCEPT,
        "Your causal_mask had the mistake strict_mask.",
    )
    picks = plan(QUESTIONS, history, NOW, Filter(only_due=True))
    assert len(picks) == 3
    assert {pick.why for pick in picks} == {Why.BROUGHT_FORWARD}
    assert {pick.topic for pick in picks} <= {*topics_behind(verdict(MISTAKE))}
    training = dict(training_for(LIBRARY, [pick.question for pick in picks]))
    assert CONCEPT in training
    assert exercise_for(LIBRARY, CONCEPT) == "causal_mask"
    assert training_command("causal_mask", tried=True) == "quizprep grade causal_mask"


def test_a_fault_of_the_grader_is_not_stored(tmp_path: Path) -> None:
    """It says nothing about the learner."""
    with Store.open(tmp_path) as store:
        store_attempt(store, verdict(MISTAKE, status="error"), NOW)
        assert store.attempts() == []
        assert store.due_marks() == []


def test_without_a_mistake_nothing_is_brought_forward(tmp_path: Path) -> None:
    """The attempt is stored, no topic is behind it, and passing opens the solution."""
    with Store.open(tmp_path) as store:
        assert not solution_is_open(store, "causal_mask")
        store_attempt(store, verdict(status="pass", passed=True), NOW)
        assert store.due_marks() == []
        assert solution_is_open(store, "causal_mask")
    assert topics_behind(verdict()) == ()


def test_giving_up_opens_the_solution_and_passes_nothing(tmp_path: Path) -> None:
    """It is an attempt that failed."""
    with Store.open(tmp_path) as store:
        store_surrender(store, "causal_mask", NOW)
        assert solution_is_open(store, "causal_mask")
        assert [attempt.passed for attempt in store.attempts()] == [False]
