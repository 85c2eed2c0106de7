"""Order: steps to sort, with credit for every pair that stands the right way round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations, pairwise

from quizprep.content.draws import fill
from quizprep.content.questions import Order, Scalar
from quizprep.quiz.labels import label, read_labels
from quizprep.quiz.marking.mark import Invalid, Mark


def mark(
    question: Order, values: Mapping[str, Scalar], reply: str, shown: Sequence[int] | None = None
) -> Mark | Invalid:
    """1 for the right order, 0 for one no better than chance (half of the pairs)."""
    count = len(question.steps)
    places = tuple(shown or range(count))
    rows = read_labels(reply, count)
    if rows is None or len(rows) != count:
        sample = " ".join(label(row) for row in reversed(range(count)))
        return Invalid(f"Type all {count} letters, first step first, such as: {sample}")
    steps = [places[row] for row in rows]
    pairs = list(combinations(steps, 2))
    straight = sum(before < after for before, after in pairs)
    if straight == len(pairs):
        return Mark(1.0)
    score = max(Fraction(0), Fraction(2 * straight, len(pairs)) - 1)
    late, early = next((a, b) for a, b in pairwise(steps) if a > b)
    labels = {place: label(row) for row, place in enumerate(places)}
    first, second = (
        f"{labels[place]} ({fill(question.steps[place], question, values).strip()})"
        for place in (early, late)
    )
    return Mark(
        float(score),
        (f"{straight} of {len(pairs)} pairs are in order. {first} comes before {second}.",),
    )


def answer(question: Order, values: Mapping[str, Scalar]) -> str:
    """The steps in order, numbered, one a line."""
    return "\n".join(
        f"{place}. {fill(step, question, values).strip()}"
        for place, step in enumerate(question.steps, start=1)
    )
