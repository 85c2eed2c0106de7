"""The debrief of an interview: what went well, what to say next time, what to practise."""

from __future__ import annotations

from itertools import zip_longest

from quizprep.cli import round_text
from quizprep.cli.terminal import Terminal, wrapped
from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.maths import plain
from quizprep.quiz import times
from quizprep.quiz.interview import Asked, Coded, Log, Role
from quizprep.quiz.marking import Mark, mark, match_open
from quizprep.quiz.marking.open_answer import mark_open
from quizprep.quiz.presented import Presented, present
from quizprep.quiz.scheduling import agree
from quizprep.quiz.selection import Pick, Why, draw_seed
from quizprep.quiz.weakness import concept_title
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
    well: list[Pick] = []
    missed: list[Pick] = []
    for place, step in enumerate(answers, start=1):
        review = next((r for r in store.reviews(step.question) if r.id == step.review), None)
        if step.question not in library.questions or (review is None and step.review is not None):
            continue  # taken back, or no longer in the banks
        topic, question = library.questions[step.question]
        seed = review.seed if review else draw_seed(log.interview.seed, question.id)
        presented = present(topic, question, seed)
        terminal.heading(f"{place} of {len(answers)}: {library.bank(topic).title}")
        terminal.say(presented.text(question.ask))
        if review is not None and review.reply:
            right = _explained(terminal, library, store, presented, review, step.role)
        else:
            right = False
            terminal.say("You skipped it.")
            if isinstance(question, Open):
                terminal.say()
                good = _column(_good(library, presented, step.role), terminal.width)
                terminal.block("\n".join(good), indent=0)
            else:
                round_text.show_answer(terminal, library, store, presented, right)
        (well if right else missed).append(Pick(topic, question, Why.NEW))
    _sum_up(terminal, library, store, well, missed, kernels)


def _explained(
    terminal: Terminal,
    library: Library,
    store: Store,
    presented: Presented,
    review: Review,
    role: Role,
) -> bool:
    """Show an answer and a better one, and whether it was right; of a spoken answer the learner
    may correct what was heard."""
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
    columns = beside(("You said", review.reply), _good(library, presented, role), terminal.width)
    terminal.block("\n".join(columns), indent=0)
    return result.right


def _good(library: Library, presented: Presented, role: Role) -> Titled:
    """A good answer: to an opening, what one says about the topic in a minute."""
    if role == "opening":
        bank = library.bank(presented.topic)
        return f"60 seconds on {bank.title}", plain(bank.template)
    assert isinstance(presented.question, Open)
    return "A good answer", plain(presented.question.model)


def _title(library: Library, step: Coded) -> str:
    known = step.exercise in library.exercise_ids
    return library.exercise(step.exercise).spec.title if known else step.exercise


def _sum_up(
    terminal: Terminal,
    library: Library,
    store: Store,
    well: list[Pick],
    missed: list[Pick],
    kernels: list[Coded],
) -> None:
    terminal.heading("Summary")
    weak = {concept for pick in missed for concept in pick.question.concepts}
    right = {pick.question.concepts[0]: None for pick in well}  # in order, without repeats
    named = [concept_title(library, concept) for concept in right if concept not in weak]
    named += [f'the kernel "{_title(library, step)}"' for step in kernels if step.passed]
    terminal.say(f"Went well: {', '.join(named)}." if named else "Nothing was complete this time.")
    for step in kernels:
        title = _title(library, step)
        if step.skipped:
            terminal.say(f'The kernel "{title}" was left out: {step.skipped}', "dim")
        elif not step.passed:
            terminal.say(f'The kernel "{title}" did not pass.', "red")
        for says in step.mistakes:
            terminal.say(f"- {says}", "yellow", indent=2)
        if not step.passed:
            terminal.say(f"quizprep start {step.exercise}", "dim", indent=4)
    round_text.show_training(terminal, library, store, missed)
    topics = list(dict.fromkeys(pick.topic for pick in missed))
    if topics:
        terminal.say(f"Practise:  quizprep ask {' '.join(topics)}")
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
