"""Each key point and wrong claim is heard in the short phrasings that people use for it."""

from __future__ import annotations

from pathlib import Path

import yaml

from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Open
from quizprep.quiz.marking import match_open

LIBRARY = Library(shipped_root())
PHRASINGS: dict[str, dict[str, list[str]]] = yaml.safe_load(
    Path(__file__).with_name("phrasings.yaml").read_text(encoding="utf-8")
)
ASKED = {name: q for name, (_, q) in LIBRARY.questions.items() if isinstance(q, Open)}


def heard(question: Open, text: str) -> set[str]:
    """Ids of the points that are heard, and ``wrong N`` for the claims."""
    match = match_open(question, text)
    claims = {f"wrong {question.wrong.index(claim)}" for claim in match.wrong_claims}
    return {point.id for point in match.covered} | claims


HEARD = [
    (name, meant, text, heard(ASKED[name], text))
    for name, ways in PHRASINGS.items()
    for meant, texts in ways.items()
    for text in texts
]


def test_every_point_of_every_open_question_has_phrasings() -> None:
    """At least five ways to say each key point, and only of points that exist."""
    assert set(PHRASINGS) == set(ASKED)
    for name, question in ASKED.items():
        ways = PHRASINGS[name]
        claims = {f"wrong {number}" for number in range(len(question.wrong))}
        assert {point.id for point in question.points} <= set(ways)
        assert set(ways) <= {point.id for point in question.points} | claims
        assert all(len(ways[point.id]) >= 5 for point in question.points)


def test_usual_phrasings_are_heard() -> None:
    """Of the phrasings 98 in 100 are heard as what they say."""
    missed = [(name, meant, text) for name, meant, text, found in HEARD if meant not in found]
    assert len(missed) <= 0.02 * len(HEARD), missed


def test_a_phrasing_is_heard_as_nothing_else() -> None:
    """At most 1 in 100 phrasings ticks another point, and none that is right is a wrong claim."""
    others = [
        (name, meant, text, found - {meant})
        for name, meant, text, found in HEARD
        if found - {meant}
    ]
    assert len(others) <= 0.01 * len(HEARD), others
    assert not [
        other
        for other in others
        if not other[1].startswith("wrong") and any(more.startswith("wrong") for more in other[3])
    ]
