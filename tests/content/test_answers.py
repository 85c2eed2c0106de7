"""Open answers as people type them are heard as a fair listener would hear them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from quizprep.authoring.open_answer_eval import (
    PARTS,
    Tally,
    evaluate,
    evaluation_text,
    load_answers,
)
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Open
from quizprep.errors import ContentError

FOLDER = Path(__file__).parent / "answers"
LIBRARY = Library(shipped_root())
ANSWERS = load_answers(FOLDER, LIBRARY)
PREFIXES = ("more-", "later-", "last-", "blind-")
EVIDENCE = Path(__file__).parents[2] / "docs" / "evidence.md"


def heard(part: str) -> Tally:
    return evaluate(LIBRARY, [answer for answer in ANSWERS if answer.part == part]).points


def test_every_open_question_has_labelled_answers_that_only_measure() -> None:
    """At least 120 answers in two halves, of every open question, and later ones of each."""
    asked = {name for name, (_, q) in LIBRARY.questions.items() if isinstance(q, Open)}
    assert {answer.question for answer in ANSWERS} == asked
    assert {answer.question for answer in ANSWERS if answer.part == "later"} == asked
    assert {answer.question for answer in ANSWERS if answer.part == "last"} == asked
    assert {answer.question for answer in ANSWERS if answer.part == "blind"} == asked
    halves = [answer for answer in ANSWERS if not answer.id.startswith(PREFIXES)]
    assert len(halves) >= 120
    assert 0.4 <= sum(answer.part == "held out" for answer in halves) / len(halves) <= 0.6
    assert len({answer.style for answer in ANSWERS}) >= 6


def test_answers_that_were_held_out_are_heard() -> None:
    """Of the points that are ticked 0.9 were said, and 0.95 of what was said is ticked."""
    points = heard("held out")
    assert points.precision >= 0.9
    assert points.recall >= 0.95


@pytest.mark.parametrize(
    ("part", "precision", "recall"),
    [("later", 0.91, 0.9), ("last", 0.88, 0.85), ("blind", 0.9, 0.86)],
)
def test_answers_written_afterwards_are_heard_as_was_measured(
    part: str, precision: float, recall: float
) -> None:
    """Neither the later and last ones nor the blind ones, the fairest, fall below what was
    reached; the blind ones are above the aim of 0.9 and 0.8."""
    points = heard(part)
    assert points.precision >= precision
    assert points.recall >= recall


def test_nobody_is_accused_of_what_they_did_not_say() -> None:
    """Of the wrong claims that are heard in answers that only measure, nine in ten were made."""
    parts = ("held out", "later", "last")
    claims = evaluate(LIBRARY, [answer for answer in ANSWERS if answer.part in parts]).claims
    assert claims.precision >= 0.94
    assert claims.recall >= 0.8
    blind = evaluate(LIBRARY, [answer for answer in ANSWERS if answer.part == "blind"]).claims
    assert blind.precision >= 0.9


def test_evidence_tells_what_is_measured_now() -> None:
    """The page in docs holds the figures of today's matcher and banks."""
    assert evaluation_text(LIBRARY, ANSWERS) in EVIDENCE.read_text(encoding="utf-8")


def test_only_the_id_decides_what_an_answer_is_for() -> None:
    """The part follows from the id: no label and no text can move an answer."""
    assert {answer.part for answer in ANSWERS} == set(PARTS)
    for answer in ANSWERS:
        first = answer.id.partition("-")[0]
        if answer.id.startswith(PREFIXES):
            assert answer.part == {"more": "improved on"}.get(first, first)
        else:
            assert answer.part == PARTS[hashlib.sha256(answer.id.encode()).digest()[0] % 2]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("question: kv-nothing", "no open question"),
        ("covers: [no-point]", "no point 'no-point'"),
        ("claims: [9]", "no wrong claim 9"),
        ("id: twin", "another answer has this id"),
    ],
)
def test_a_label_for_what_is_not_there_is_refused(tmp_path: Path, line: str, message: str) -> None:
    """A misspelt label would count as an error of the marker, so it is one of the file."""
    fields = {"id": "id: one", "question": "question: kv-why", "covers": "covers: []"}
    fields |= {line.partition(":")[0]: line, "style": "style: terse", "says": "says: nothing"}
    twin = "- id: twin\n  question: kv-why\n  style: terse\n  says: x\n  covers: []\n"
    faulty = "- " + "\n  ".join(fields.values()) + "\n"
    (tmp_path / "earlier.yaml").write_text(twin, encoding="utf-8")
    (tmp_path / "some.yaml").write_text(faulty, encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_answers(tmp_path, LIBRARY)
    assert message in str(caught.value)
    assert "some.yaml" in str(caught.value)


def test_shares_of_nothing_are_whole() -> None:
    """Where nothing was heard none of it is wrong; where nothing was said none is missed."""
    assert Tally().precision == Tally().recall == 1
    assert Tally(right=3, extra=1, missed=2).precision == pytest.approx(0.75)
    assert Tally(right=3, extra=1, missed=2).recall == pytest.approx(0.6)
