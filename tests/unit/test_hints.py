"""Hints help step by step, fit their question, and never say the answer."""

from __future__ import annotations

import re

import pytest

from quizprep.authoring.question_proof import right_reply
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Choice, Cloze, Growth, Number, Open, Order
from quizprep.quiz.hints import hints, so_far
from quizprep.quiz.marking import Mark, mark, model_answer
from quizprep.quiz.presented import Presented, label, present
from quizprep.quiz.weakness import concept_title
from tests.unit.questions import question

LIBRARY = Library(shipped_root())
EVERY = [(topic, q) for topic, q in LIBRARY.questions.values()]


def hinted(posed: Presented) -> tuple[str, ...]:
    return hints(posed, [concept_title(LIBRARY, name) for name in posed.question.concepts])


@pytest.mark.parametrize("topic", LIBRARY.topics)
def test_every_question_has_hints(topic: str) -> None:
    """The first says what the question is about; a later one gives a step, where there is one."""
    for q in LIBRARY.bank(topic).questions:
        found = hinted(present(topic, q, 3))
        assert isinstance(q, Cloze) or found[0].startswith("It is about: ")
        few = isinstance(q, Cloze) or (
            isinstance(q, Choice) and sum(not option.right for option in q.options) < 2
        )
        assert len(found) >= (1 if few else 2), q.id
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("topic", LIBRARY.topics)
def test_no_hint_is_the_answer(topic: str) -> None:
    """A hint typed as the reply is not marked right, and holds no word that fills a gap."""
    for q in LIBRARY.bank(topic).questions:
        if isinstance(q, Open):
            continue
        posed = present(topic, q, 5)
        for hint in hinted(posed):
            marked = mark(q, posed.values, hint, posed.shown)
            assert not (isinstance(marked, Mark) and marked.right), (q.id, hint)
            if isinstance(q, Cloze):
                words = re.findall(r"\w+", hint.casefold())
                assert model_answer(q, posed.values).casefold() not in words, q.id


def test_options_that_are_taken_away_are_wrong_and_some_stay() -> None:
    """A choice keeps a wrong option however many hints are asked for."""
    for topic, q in EVERY:
        if isinstance(q, Choice):
            posed = present(topic, q, 1)
            gone = [text.split()[-1].rstrip(".") for text in hinted(posed)[1:]]
            wrong = {label(row) for row, p in enumerate(posed.shown) if not q.options[p].right}
            assert set(gone) < wrong


def test_the_order_is_told_from_its_ends() -> None:
    """The first and the last step are those of the right reply."""
    for topic, q in EVERY:
        if isinstance(q, Order):
            posed = present(topic, q, 2)
            letters = right_reply(posed).split(", ")
            verb = "is" if q.ranks.count(0) == 1 else "may be"
            assert hinted(posed)[1] == f"The first step {verb} {letters[0]}."
            if len(letters) > 3:
                verb = "is" if q.ranks.count(q.ranks[-1]) == 1 else "may be"
                assert hinted(posed)[2] == f"The last step {verb} {letters[-1]}."


def test_a_number_names_what_counts_and_nothing_else() -> None:
    """Parameters that the answer does not use are left out, those behind ``show`` are not."""
    asked = question(
        "number", answer="2 * size", unit="B",
        given={"heads": [8], "kv_heads": [2], "d": [64]}, show={"size": "kv_heads * d"},
    )  # fmt: skip
    assert hints(present("t", asked, 0), [])[-1] == "The formula needs kv_heads and d."


@pytest.mark.parametrize(
    ("answer", "unit", "says"),
    [
        ("3000", "B", "between 1,000 and 10,000 B"),
        ("1000", "B", "between 1,000 and 10,000 B"),
        ("3 * 2**10", "KiB", "between 1 and 10 KiB"),
        ("0.5", "", "less than 1."),
    ],
)
def test_a_number_without_parameters_tells_its_size(answer: str, unit: str, says: str) -> None:
    """The power of ten, in the unit that is asked for."""
    assert says in hints(present("t", question("number", answer=answer, unit=unit), 0), [])[-1]


def test_a_growth_names_its_sizes_but_not_their_powers() -> None:
    """The last hint lists the symbols of the answer."""
    asked = question(
        "growth", answer="n**2 * d", symbols={"n": "tokens", "d": "size", "h": "heads"}
    )
    assert hints(present("t", asked, 0), [])[-1] == "The answer holds n and d, and no other size."


def test_the_hint_of_the_author_comes_first() -> None:
    """A written hint takes the place of the concept."""
    asked = question("growth", answer="n", symbols={"n": "tokens"}, hint="Count the rows.")
    assert hints(present("t", asked, 0), ["Masks"])[0] == "Count the rows."


def test_an_open_answer_is_counted_while_it_is_given() -> None:
    """The number of points so far, and no word of what is missing."""
    _, asked = LIBRARY.questions["kv-why"]
    assert isinstance(asked, Open)
    total = len(asked.points)
    assert so_far(asked, "hello") == f"A listener would tick 0 of {total} points so far."
    assert so_far(asked, asked.model) == f"A listener would tick all {total} points by now."


def test_kinds_are_all_met() -> None:
    """The banks hold every kind that the tests above speak of."""
    assert {Choice, Number, Order, Growth, Cloze, Open} <= {type(q) for _, q in EVERY}
