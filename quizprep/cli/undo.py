"""``quizprep undo``: take the last answer back."""

from __future__ import annotations

import click

from quizprep.cli import clock
from quizprep.cli.terminal import Terminal
from quizprep.errors import QuizprepError
from quizprep.store import Review, Store

_QUOTED = 60


@click.command()
def undo() -> None:
    """Take the last answer back, as if it had not been given. Again: the one before it.

    It stays on record; only the schedule forgets it.
    """
    from quizprep.quiz.scheduling import reschedule

    with Store.open() as store:
        review = store.last_review()
        if review is None:
            raise QuizprepError("There is no answer to take back.")
        store.void_review(review, clock.now(), reschedule)
        left = len(store.reviews(review.question))
    terminal = Terminal()
    terminal.say(f"Taken back: {_what(review)}")
    before = f"Its {left} earlier answers count." if left > 1 else "Its earlier answer counts."
    terminal.say(before if left else "The question counts as not asked.", "dim")


def _what(review: Review) -> str:
    when = review.at.astimezone()
    reply = " ".join(review.reply.split())
    short = reply if len(reply) <= _QUOTED else f"{reply[:_QUOTED].rstrip()}..."
    said = f"your reply {short!r} ({round(100 * review.score)}%)" if reply else "'show me'"
    return f"{review.question}, {said} of {when.day} {when:%B}, {when:%H:%M}."
