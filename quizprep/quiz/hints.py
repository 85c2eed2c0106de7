"""Hints for a question, each giving away more: first its subject, then steps to the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from quizprep.content.questions import Choice, Cloze, Code, Growth, Number, Open, Order
from quizprep.quiz.presented import Presented, label


def hints(presented: Presented, concepts: Sequence[str]) -> tuple[str, ...]:
    """The hints in the order in which they are shown; each one shown counts in the rating.

    concepts  the titles of the question's concepts
    """
    written = presented.text(presented.question.hint) if presented.question.hint else ""
    harmless = [title for title in concepts if not _answers(presented, title)]
    about = f"It is about: {'; '.join(harmless)}." if harmless else ""
    return tuple(hint for hint in (written or about, *_derived(presented)) if hint)


def so_far(question: Open, text: str) -> str:
    """How many points a listener has ticked while an open answer is still being typed."""
    from quizprep.quiz.marking import match_open

    missing = len(match_open(question, text).missing)
    total = len(question.points)
    if not missing:
        return f"A listener would tick all {total} points by now."
    return f"A listener would tick {total - missing} of {total} points so far."


def _answers(presented: Presented, text: str) -> bool:
    """Whether a text contains what fills the gap of a cloze."""
    if not isinstance(presented.question, Cloze):
        return False
    words = f" {_spaced(text)} "
    return any(
        f" {_spaced(presented.text(filling))} " in words for filling in presented.question.accept
    )


def _spaced(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _derived(presented: Presented) -> Iterator[str]:
    match presented.question:
        case Choice(options=options):
            wrong = [row for row, place in enumerate(presented.shown) if not options[place].right]
            # Rules out up to two wrong options, but always leaves one.
            for row in reversed(wrong[1:][-2:]):
                yield f"It is not {label(row)}."
        case Order(ranks=ranks):
            yield f"The first step {_is_or_may_be(ranks.count(ranks[0]))} {_letter(presented, 0)}."
            if (last := len(ranks) - 1) > 2:
                be = _is_or_may_be(ranks.count(ranks[last]))
                yield f"The last step {be} {_letter(presented, last)}."
        case Number() as question:
            yield from _of_number(presented, question)
        case Growth(symbols=symbols):
            from quizprep.formula import parse

            yield f"Double one size at a time ({', '.join(symbols)}). What happens to the result?"
            named = [name for name in symbols if name in parse(presented.question.answer).symbols]
            if named:
                yield f"The answer holds {_joined(named)}" + (
                    "." if len(named) == len(symbols) else ", and no other size."
                )
        case Cloze(accept=accept):
            word = presented.text(accept[0])
            yield f"It has {_count(len(word), 'character')}."
            if len(word) > 2:
                yield f"It begins with {word[0]!r}."
        case Code(prints=prints):
            lines = prints.strip("\n").split("\n")
            size = _count(len(lines[0]), "character")
            yield f"It prints {_count(len(lines), 'line')}; the first one has {size}."
        case Open(points=points):
            yield (
                f"A listener ticks {len(points)} points. A ? on a line of its own while you "
                "answer says how many you have."
            )


def _is_or_may_be(group: int) -> str:
    """The verb for a step, given how many steps may stand in its place."""
    return "is" if group == 1 else "may be"


def _letter(presented: Presented, place: int) -> str:
    return label(presented.shown.index(place))


def _of_number(presented: Presented, question: Number) -> Iterator[str]:
    """What is given and which of it matters; if nothing is given, the order of magnitude."""
    from quizprep.content.draws import answer_value
    from quizprep.units import find

    if question.given:
        numbers = ", ".join(f"{name} = {presented.values[name]}" for name in question.given)
        yield f"These numbers are given: {numbers}. Not every one has to matter."
        if used := _needed(question):
            yield f"The formula needs {_joined(used)}."
        return
    unit = find(question.unit)
    value = abs(float(answer_value(question, presented.values)) / float(unit.factor if unit else 1))
    low = 1
    while low * 10 <= value:
        low *= 10
    if value >= 1:
        yield f"It lies between {low:,} and {10 * low:,} {question.unit}".rstrip() + "."
    else:
        yield f"It is less than 1 {question.unit}".rstrip() + "."


def _needed(question: Number) -> list[str]:
    """The parameters that the answer depends on, also through ``show`` values."""
    from quizprep.content.draws import parsed

    used = set(parsed(question.answer).symbols)
    for name, formula in reversed(question.show.items()):
        if name in used:
            used |= parsed(formula).symbols
    return [name for name in question.given if name in used]


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
