"""A question proves itself: what is wrong with how it is marked is found and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from quizprep.authoring.question_proof import SEEDS, question_problems, right_reply, wrong_replies
from quizprep.content.library import Library, shipped_root
from quizprep.quiz.marking import Mark, mark
from quizprep.quiz.presented import present

SHIPPED = Library(shipped_root())
HEAD = """\
format: 1
topic: demo
title: Demo
template: Say it.
questions:
  - id: q
    level: junior
    concepts: [scaling]
    sources: [vaswani2017]
    why: So.
"""
OPEN = """\
    kind: open
    ask: Why?
    points:
      - {id: one, says: The variance grows., accept: [variance grow*]}
      - {id: two, says: The softmax saturates., accept: [softmax saturat*]}
    wrong:
      - {says: The mean stays at zero., accept: [mean grow*]}
    model: The variance grows and the softmax saturates.
"""
CLOZE = """\
    kind: cloze
    ask: It is ___.
    accept: [softmax]
    traps: [{gives: sigmoid, says: No.}]
"""
NUMBER = """\
    kind: number
    ask: How many are {n}?
    given: {n: [1, 2, 3, 4]}
    answer: 2 * n
    traps: [{gives: 3 * n, says: No.}]
"""


def problems(root: Path, text: str) -> str:
    (root / "demo.yaml").write_text(HEAD + text, encoding="utf-8")
    return " | ".join(str(problem) for problem in question_problems(Library(root)))


@pytest.mark.parametrize("text", [OPEN, CLOZE, NUMBER])
def test_a_sound_question_has_no_problem(text: str, tmp_path: Path) -> None:
    """The questions that the faults below are planted in prove themselves."""
    assert problems(tmp_path, text) == ""


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (OPEN, "says: The variance grows.", "says: It spreads.", "not heard in its own words"),
        (OPEN, "model: The variance grows and the", "model: The", "the model answer misses one"),
        (OPEN, "[mean grow*]", "[variance grow*]", "contains a claim that counts as wrong"),
        (OPEN, "[mean grow*]", "[variance grow*]", "the point one counts as a wrong claim"),
        (OPEN, "[mean grow*]", "[mean zero]", "who corrects a wrong claim is taken to make it"),
        (CLOZE, "gives: sigmoid", "gives: Softmax", "the trap 'Softmax' is not named"),
        (CLOZE, "accept: [softmax]", "accept: [softmax, no answer at all]", "not marked wrong"),
    ],
)
def test_a_fault_in_the_marking_is_said(
    text: str, old: str, new: str, says: str, tmp_path: Path
) -> None:
    """Each way in which a question can contradict itself gives its own sentence."""
    assert old in text
    assert says in problems(tmp_path, text.replace(old, new))


@pytest.mark.parametrize("topic", SHIPPED.topics)
def test_wrong_replies_are_wrong_and_there_is_one_for_every_question(topic: str) -> None:
    """For the last of many draws: right is right, and each wrong reply is marked, not refused."""
    for question in SHIPPED.bank(topic).questions:
        posed = present(topic, question, SEEDS[-1])
        assert wrong_replies(posed), question.id
        for reply in wrong_replies(posed):
            marked = mark(question, posed.values, reply, posed.shown)
            assert isinstance(marked, Mark) and not marked.right, (question.id, reply)
        marked = mark(question, posed.values, right_reply(posed), posed.shown)
        assert isinstance(marked, Mark) and marked.right, question.id
