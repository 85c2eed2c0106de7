"""What a learner is weak in: one rule, whichever command asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library
from quizprep.quiz.selection import Filter, History, brought_forward
from quizprep.quiz.weakness import (
    ANSWERS_TO_SETTLE,
    ENOUGH,
    command_for,
    exercise_for,
    weak_questions,
    weaknesses,
)
from quizprep.store import RECENT, DueMark, Latest
from tests.unit.questions import question

QUESTIONS = (
    Library(Path(__file__).parents[1] / "golden" / "sheets" / "bank").bank("small").questions
)
TWELVE = [
    question("cloze", id=f"q{place}", accept=["a"], concepts=[f"c{place % 4}"])
    for place in range(12)
]
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
SCORES = st.lists(st.sampled_from([0.0, 0.5, 0.8, 1.0]), min_size=1, max_size=RECENT)


def log(*answers: tuple[str, float]) -> dict[str, Latest]:
    """Answers, an hour apart, as the store gives them."""
    found: dict[str, Latest] = {}
    for n, (name, score) in enumerate(answers, 1):
        earlier = found[name].scores if name in found else ()
        scores = (*earlier, score)[-RECENT:]
        found[name] = Latest(n, START + timedelta(hours=n), scores)
    return found


def test_what_was_right_is_not_weak() -> None:
    """A question that was answered right, or never, is not on the list."""
    assert weak_questions(QUESTIONS, log(("small-open", 1.0)), []) == {}


def test_the_weakest_comes_first() -> None:
    """Questions are in the order of their scores, each with a reason."""
    answers = log(("small-open", 0.5), ("small-number", 0.0), ("small-choice", 1.0))
    found = weak_questions(QUESTIONS, answers, [])
    assert list(found) == ["small-number", "small-open"]
    assert found["small-number"] == "Answered once, not right, on 2 November 2026."
    assert "partly right" in found["small-open"]


def test_a_question_recovers() -> None:
    """Enough right answers after a miss take a question off the list."""
    answers = [("small-open", 0.0), *[("small-open", 1.0)] * 3]
    assert weak_questions(QUESTIONS, log(*answers[:2]), []) != {}
    assert weak_questions(QUESTIONS, log(*answers), []) == {}


def test_one_right_answer_after_three_misses_settles_nothing() -> None:
    """The question is still weak, and so is every concept of it."""
    answers = log(*[("q0", 0.0)] * 3, ("q0", 1.0))
    assert list(weak_questions(TWELVE, answers, [])) == ["q0"]
    assert [(each.concept, each.score) for each in weaknesses(TWELVE, answers, [])] == [
        ("c0", 0.25)
    ]


def test_a_mistake_in_an_exercise_counts_until_it_is_answered() -> None:
    """A concept that was brought forward puts its unanswered questions on the list."""
    mark = DueMark("other-idea", "Your kernel forgot the scale.", START)
    found = weak_questions(QUESTIONS, {}, [mark])
    assert found == dict.fromkeys(["small-ratio", "small-choice"], mark.reason)
    answers = log(("small-ratio", 1.0))
    assert list(weak_questions(QUESTIONS, answers, [mark])) == ["small-choice"]


def test_a_mistake_waits_until_three_questions_on_its_concept_were_answered() -> None:
    """Answers before the grading settle nothing; the third one after it settles the mistake."""
    mark = DueMark("c0", "why", START)
    on_it = [("q0", 1.0), ("q4", 1.0), ("q8", 1.0)]
    before = {name: Latest(1, START - timedelta(hours=1), (1.0,)) for name, _ in on_it}
    assert [each.mistake for each in weaknesses(TWELVE, before, [mark])] == ["why"]
    for count in range(ANSWERS_TO_SETTLE):
        answers = before | log(*on_it[:count])
        assert [each.mistake for each in weaknesses(TWELVE, answers, [mark])] == ["why"]
    assert weaknesses(TWELVE, before | log(*on_it), [mark]) == []


@given(
    st.dictionaries(st.integers(0, 11), st.tuples(st.integers(-3, 3), SCORES)),
    st.sets(st.integers(0, 3)),
)
def test_every_command_agrees_on_what_is_weak(
    answers: dict[int, tuple[int, list[float]]], marked: set[int]
) -> None:
    """Concepts (today, progress), questions (sheet) and rounds (ask) follow the same rule."""
    latest = {
        f"q{place}": Latest(1, START + timedelta(hours=hours), tuple(scores))
        for place, (hours, scores) in answers.items()
    }
    marks = [DueMark(f"c{place}", f"why {place}", START) for place in marked]
    sheet = weak_questions(TWELVE, latest, marks)
    concepts = {each.concept: each for each in weaknesses(TWELVE, latest, marks)}
    asked = brought_forward(
        [("t", q) for q in TWELVE if Filter().admits(q)], History({}, latest, marks)
    )
    of = {q.id: q.concepts[0] for q in TWELVE}
    assert {of[id] for id in sheet} == set(concepts)
    assert {pick.question.id for pick in asked} <= set(sheet)
    waiting = {concept for concept, each in concepts.items() if each.mistake}
    assert {of[pick.question.id] for pick in asked} == waiting
    for concept, each in concepts.items():
        scores = [
            min(latest[id].scores[-1], sum(latest[id].scores) / len(latest[id].scores))
            for id in of
            if of[id] == concept and id in latest
        ]
        assert each.score == min(scores, default=None)
        assert each.mistake or min(scores) < ENOUGH
    order = [(not each.mistake, each.score or 0) for each in concepts.values()]
    assert order == sorted(order)


def test_a_weak_concept_leads_to_what_is_within_reach() -> None:
    """Its exercise once those before it are passed or it was begun; before that its questions."""
    library = Library()
    exercise = next(each for each in library.exercises if each.spec.after)
    (concept, *_) = (c for c in exercise.spec.concepts if exercise_for(library, c) == exercise.id)
    before = dict.fromkeys(exercise.spec.after, True)
    assert command_for(library, concept, {}) == f"quizprep ask {concept}"
    assert command_for(library, concept, before) == f"quizprep start {exercise.id}"
    failed = dict.fromkeys(before, False)
    assert command_for(library, concept, failed) == f"quizprep ask {concept}"
    begun = {exercise.id: False}
    assert command_for(library, concept, begun) == f"quizprep grade {exercise.id}"
    assert command_for(library, "no-such-concept", {}) == ""
