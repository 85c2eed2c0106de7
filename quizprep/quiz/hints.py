"""Hints for a question: the author's, then one that its kind gives away."""

from __future__ import annotations

from quizprep.content.questions import Choice, Cloze, Growth, Number, Open, Order
from quizprep.quiz.labels import label
from quizprep.quiz.posed import Posed


def hints(posed: Posed) -> tuple[str, ...]:
    """The hints in the order they are shown; each asked for counts in the rating."""
    written = posed.text(posed.question.hint) if posed.question.hint else ""
    derived = _derived(posed)
    return tuple(hint for hint in (written, derived) if hint)


def _derived(posed: Posed) -> str:
    match posed.question:
        case Choice(options=options):
            wrong = [row for row, place in enumerate(posed.shown) if not options[place].right]
            return f"It is not {label(wrong[-1])}." if len(options) > 2 and wrong else ""
        case Order():
            return f"The first step is {label(posed.shown.index(0))}."
        case Number(given=given) if posed.values:
            numbers = ", ".join(f"{name} = {posed.values[name]}" for name in given)
            return f"These numbers are given: {numbers}. Not every one has to matter."
        case Growth(symbols=symbols):
            return "What repeats for each " + ", for each ".join(symbols.values()) + "?"
        case Cloze(accept=accept):
            word = posed.text(accept[0])
            return f"It begins with {word[0]!r} and has {len(word)} characters."
        case Open(points=points):
            return f"A listener ticks {len(points)} points."
    return ""
