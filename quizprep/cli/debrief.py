"""The debrief of an interview: what went well, what to say next time, what to practise."""

from __future__ import annotations

from itertools import zip_longest

from quizprep.cli import round_text
from quizprep.cli.terminal import Terminal, wrapped
from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.maths import plain
from quizprep.quiz import times
from quizprep.quiz.debriefing import Answered, Summary, answers, good_answer, summary
from quizprep.quiz.interview import Log
from quizprep.quiz.marking import Mark, mark, match_open
from quizprep.quiz.marking.open_answer import mark_open
from quizprep.quiz.presented import Presented
from quizprep.quiz.scheduling import agree
from quizprep.quiz.selection import Pick, Why
from quizprep.store import Review, Store
from quizprep.text import counted

ROOM = 72
"""Columns from which on two texts stand beside each other."""
_GAP = "  |  "

Titled = tuple[str, str]
"""A title and a text."""


def debrief(terminal: Terminal, library: Library, store: Store, log: Log) -> None:
    """Go through every answer with the learner, then sum up."""
    gone_through = answers(library, store, log)
    minutes = round(log.seconds / 60)
    terminal.heading(f"Debrief, after {counted(minutes, 'minute')}")
    well: list[Presented] = []
    missed: list[Presented] = []
    for place, each in enumerate(gone_through, start=1):
        presented = each.presented
        terminal.heading(f"{place} of {len(gone_through)}: {library.bank(presented.topic).title}")
        terminal.say(presented.text(presented.question.ask))
        if each.review is not None and each.review.reply:
            right = _explained(terminal, library, store, each, each.review)
        else:
            right = False
            terminal.say("You skipped it.")
            if isinstance(presented.question, Open):
                terminal.say()
                good = _column(_good(library, each), terminal.width)
                terminal.block("\n".join(good), indent=0)
            else:
                round_text.show_answer(terminal, library, store, presented, right)
        (well if right else missed).append(presented)
    _sum_up(terminal, library, store, summary(library, log, well, missed), missed)


def _explained(
    terminal: Terminal, library: Library, store: Store, answered: Answered, review: Review
) -> bool:
    """Show an answer and a better one, and whether it was right; of a spoken answer the learner
    may correct what was heard."""
    presented = answered.presented
    question = presented.question
    if not isinstance(question, Open):
        result = mark(question, presented.values, review.reply, presented.shown or None)
        shown = result if isinstance(result, Mark) else Mark(0.0)
        terminal.say(f"You said: {review.reply}")
        round_text.show_mark(terminal, library, store, presented, shown)
        return shown.right
    heard = round_text.agreed(terminal, presented, match_open(question, review.reply))
    result = mark_open(heard)
    agree(store, review, presented, result, times.now())
    terminal.say()
    columns = beside(("You said", review.reply), _good(library, answered), terminal.width)
    terminal.block("\n".join(columns), indent=0)
    return result.right


def _good(library: Library, answered: Answered) -> Titled:
    title, text = good_answer(library, answered)
    return title, plain(text)


def _sum_up(
    terminal: Terminal, library: Library, store: Store, found: Summary, missed: list[Presented]
) -> None:
    terminal.heading("Summary")
    went_well = f"Went well: {', '.join(found.well)}."
    terminal.say(went_well if found.well else "Nothing was complete this time.")
    for title, step in found.kernels:
        if step.skipped:
            terminal.say(f'The kernel "{title}" was left out: {step.skipped}', "dim")
        elif not step.passed:
            terminal.say(f'The kernel "{title}" did not pass.', "red")
        for says in step.mistakes:
            terminal.say(f"- {says}", "yellow", indent=2)
        if not step.passed:
            terminal.say(f"quizprep start {step.exercise}", "dim", indent=4)
    round_text.show_training(
        terminal, library, store, [Pick(each.topic, each.question, Why.NEW) for each in missed]
    )
    if found.topics:
        terminal.say(f"Practise:  quizprep ask {' '.join(found.topics)}")
        terminal.say(f"To read:  quizprep sheet {' '.join(found.topics)}", "dim")


def beside(left: Titled, right: Titled, width: int) -> list[str]:
    """The lines of two texts, in two columns from a width of ROOM on, else one under the other.

    No line is longer than the width.
    """
    if width < ROOM:
        return [line for part in (left, right) for line in [*_column(part, width), ""]][:-1]
    half = (width - len(_GAP)) // 2
    rows = zip_longest(_column(left, half), _column(right, half), fillvalue="")
    return [f"{one:<{half}}{_GAP}{other}".rstrip() for one, other in rows]


def _column(part: Titled, width: int) -> list[str]:
    title, text = part
    return [*wrapped(title, width), "-" * min(width, len(title)), *wrapped(text, width)]
