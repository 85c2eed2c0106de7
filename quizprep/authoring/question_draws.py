"""Every draw of a question and every placeholder of its texts, for the checks."""

from __future__ import annotations

import random
from collections.abc import Iterator

from quizprep.content.draws import (
    MAX_DRAWS,
    PLACEHOLDER,
    combination,
    combination_count,
    gap_message,
)
from quizprep.content.questions import Question, Scalar
from quizprep.maths import split_math


def every_draw(question: Question) -> Iterator[dict[str, Scalar]]:
    """Every combination of ``given``, or MAX_DRAWS fixed ones where there are more."""
    total = combination_count(question)
    places: list[int] | range = range(total)
    if total > MAX_DRAWS:
        places = random.Random(question.id).sample(range(total), MAX_DRAWS)
    for place in places:
        yield combination(question, place)


def gaps(text: str) -> list[str | None]:
    """The names of a text's placeholders, in order; None for a brace that is neither part of one
    nor doubled."""
    return [
        match[1]
        for piece in split_math(text)
        if not piece.is_math
        for match in PLACEHOLDER.finditer(piece.text)
        if match[0] not in ("{{", "}}")
    ]


def gap_problems(text: str, question: Question) -> list[str]:
    """What ``fill`` would refuse in this text, as sentences."""
    known = [*question.given, *question.show]
    return [gap_message(name, known) for name in gaps(text) if name not in known]
