"""Choice and order: replies are the letters that stand before options and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations, pairwise

from quizprep.content.draws import fill
from quizprep.content.questions import Choice, Order, Scalar
from quizprep.quiz.marking.reply import Invalid, Mark
from quizprep.quiz.presented import label, read_labels


def mark_choice(
    question: Choice, values: Mapping[str, Scalar], reply: str, shown: Sequence[int] | None = None
) -> Mark | Invalid:
    """Each right option chosen adds to the score, each wrong one subtracts; never below 0."""
    places = tuple(shown or range(len(question.options)))
    right = {place for place, option in enumerate(question.options) if option.right}
    chosen = read_labels(reply, len(places))
    if chosen is None:
        return Invalid(_expected(len(places), several=len(right) > 1))
    picked = {places[row] for row in chosen}
    if len(right) == 1 and len(picked) > 1:
        return Invalid(_expected(len(places), several=False))
    letters = {place: label(row) for row, place in enumerate(places)}
    wrong = [place for place in places if place in picked - right]
    missed = [place for place in places if place in right - picked]
    score = max(0, len(picked & right) - len(wrong)) / len(right)

    def explained(place: int, verdict: str) -> str:
        says = fill(question.options[place].says, question, values).strip()
        return f"{letters[place]} {verdict}: {says}" if says else f"{letters[place]} {verdict}."

    reasons = [explained(place, "is wrong") for place in wrong]
    if len(right) > 1:
        reasons += [explained(place, "is right too") for place in missed]
    named = [place for place in wrong if question.options[place].says]
    trap = fill(question.options[named[0]].says, question, values).strip() if named else None
    return Mark(score, tuple(reasons), trap)


def choice_answer(
    question: Choice, values: Mapping[str, Scalar], shown: Sequence[int] | None = None
) -> str:
    """The right options with their letters, one a line."""
    places = tuple(shown or range(len(question.options)))
    return "\n".join(
        f"{label(row)}) {fill(question.options[place].text, question, values).strip()}"
        for row, place in enumerate(places)
        if question.options[place].right
    )


def _expected(count: int, several: bool) -> str:
    last = label(count - 1)
    if several:
        return f"Type one or more letters from a to {last}, such as: a c"
    return f"Type one letter from a to {last}."


def mark_order(
    question: Order, values: Mapping[str, Scalar], reply: str, shown: Sequence[int] | None = None
) -> Mark | Invalid:
    """1 for a right order, falling to 0 for one that is no better than chance.

    Pairs of steps that may come in either order count neither way.
    """
    count = len(question.listed)
    places = tuple(shown or range(count))
    rows = read_labels(reply, count)
    if rows is None or len(rows) != count:
        sample = " ".join(label(row) for row in reversed(range(count)))
        return Invalid(f"Type all {count} letters, first step first, such as: {sample}")
    steps = [places[row] for row in rows]
    ranks = question.ranks
    pairs = [pair for pair in combinations(steps, 2) if ranks[pair[0]] != ranks[pair[1]]]
    straight = sum(ranks[before] < ranks[after] for before, after in pairs)
    if straight == len(pairs):
        return Mark(1.0)
    score = max(Fraction(0), Fraction(2 * straight, len(pairs)) - 1)
    late, early = next((a, b) for a, b in pairwise(steps) if ranks[a] > ranks[b])
    labels = {place: label(row) for row, place in enumerate(places)}
    first, second = (
        f"{labels[place]} ({fill(question.listed[place], question, values).strip()})"
        for place in (early, late)
    )
    return Mark(
        float(score),
        (f"{straight} of {len(pairs)} pairs are in order. {first} comes before {second}.",),
    )


def order_answer(question: Order, values: Mapping[str, Scalar]) -> str:
    """The steps in order, numbered, one a line; steps in any order share a number."""
    return "\n".join(
        f"{rank + 1}. {fill(step, question, values).strip()}"
        for rank, step in zip(question.ranks, question.listed, strict=True)
    )
