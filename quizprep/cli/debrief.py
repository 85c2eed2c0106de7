"""The debrief of an interview: what went well, what to say next time, what to practise."""

from __future__ import annotations

from itertools import zip_longest

from quizprep.cli import round_text
from quizprep.cli.terminal import Terminal, wrapped
from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.maths import plain
from quizprep.quiz import times
from quizprep.quiz.interview import Asked, Coded, Log
from quizprep.quiz.marking import Mark, mark, match_open
from quizprep.quiz.marking.open_answer import mark_open
from quizprep.quiz.presented import Presented, present
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
    answers = [step for step in log.steps if isinstance(step, Asked)]
    kernels = [step for step in log.steps if isinstance(step, Coded)]
    minutes = round(log.seconds / 60)
    terminal.heading(f"Debrief, after {counted(minutes, 'minute')}")
    well: list[str] = []
    missed: list[Pick] = []
    for place, step in enumerate(answers, start=1):
        review = next((r for r in store.reviews(step.question) if r.id == step.review), None)
        if review is None or step.question not in library.questions:
            continue  # taken back, or no longer in the banks
        topic, question = library.questions[step.question]
        presented = present(topic, question, review.seed)
        terminal.heading(f"{place} of {len(answers)}: {topic}")
        terminal.say(presented.text(question.ask))
        result = _explained(terminal, library, store, presented, review, step)
        if result.right:
            well.append(f"{topic}: {question.id}")
        else:
            missed.append(Pick(topic, question, Why.NEW))
    well += [f"the kernel {step.exercise}" for step in kernels if step.passed]
    _sum_up(terminal, library, store, well, missed, kernels)


def _explained(
    terminal: Terminal,
    library: Library,
    store: Store,
    presented: Presented,
    review: Review,
    step: Asked,
) -> Mark:
    """Show one answer and a better one; returns the mark, which a spoken answer lets correct."""
    question = presented.question
    if not isinstance(question, Open):
        result = mark(question, presented.values, review.reply, presented.shown or None)
        shown = result if isinstance(result, Mark) else Mark(0.0, ("You passed.",))
        if review.reply:
            terminal.say(f"You said: {review.reply}")
        round_text.show_mark(terminal, library, store, presented, shown)
        return shown
    heard = match_open(question, review.reply)
    if review.reply:
        heard = round_text.agreed(terminal, presented, heard)
    result = mark_open(heard)
    agree(store, review, presented, result, times.now())
    if heard.missing:
        terminal.say("Say next time:", "bold")
    for point in heard.missing:
        terminal.say(f"- {presented.text(point.says)}", "yellow", indent=2)
    terminal.say()
    spoken = library.bank(presented.topic).template if step.role == "opening" else question.model
    title = f"60 seconds on {presented.topic}" if step.role == "opening" else "A good answer"
    said = review.reply or "You passed."
    for line in beside(("You said", said), (title, plain(spoken)), terminal.width):
        terminal.block(line, indent=0)
    return result


def _sum_up(
    terminal: Terminal,
    library: Library,
    store: Store,
    well: list[str],
    missed: list[Pick],
    kernels: list[Coded],
) -> None:
    terminal.heading("Summary")
    terminal.say(f"Went well: {', '.join(well)}." if well else "Nothing was complete this time.")
    for step in kernels:
        if step.skipped:
            terminal.say(f"The kernel {step.exercise} was left out: {step.skipped}", "dim")
        elif not step.passed:
            terminal.say(f"The kernel {step.exercise} did not pass.", "red")
        for says in step.mistakes:
            terminal.say(f"- {says}", "yellow", indent=2)
        if not step.passed:
            terminal.say(f"quizprep start {step.exercise}", "dim", indent=4)
    round_text.show_training(terminal, library, store, missed)
    topics = list(dict.fromkeys(pick.topic for pick in missed))
    if topics:
        terminal.say(f"Practise:  quizprep ask {' '.join(topics)}", "bold")
        terminal.say(f"To read:  quizprep sheet {' '.join(topics)}", "dim")


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
