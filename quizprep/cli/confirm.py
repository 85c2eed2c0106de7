"""Open answers: the program shows what it heard, and the learner has the last word."""

from __future__ import annotations

from quizprep.cli.terminal import Style, Terminal
from quizprep.quiz.labels import label, read_labels
from quizprep.quiz.marking import Mark, OpenMatch
from quizprep.quiz.marking.open_answer import corrected
from quizprep.quiz.marking.open_answer import mark as mark_of
from quizprep.quiz.presented import Posed


def confirmed(terminal: Terminal, posed: Posed, match: OpenMatch) -> Mark:
    """The mark of what the learner agrees was said."""
    return mark_of(agreed(terminal, posed, match))


def agreed(terminal: Terminal, posed: Posed, match: OpenMatch) -> OpenMatch:
    """Show the points and claims, let one letter flip each, and return what was agreed on.

    Enter or the end of input keeps what the program believes.
    """
    points = [*match.covered, *match.missing]
    claims = [*match.wrong_claims]
    terminal.say()
    terminal.say("What I heard:", "bold")
    for row, point in enumerate(points):
        heard = "said   " if point in match.covered else "missing"
        style: Style = "green" if point in match.covered else "yellow"
        _row(terminal, row, heard, posed.text(point.says), style)
    for row, claim in enumerate(claims, start=len(points)):
        _row(terminal, row, "wrong  ", posed.text(claim.says), "red")
    count = len(points) + len(claims)
    while True:
        terminal.say("Enter if that is fair, or the letters to flip.", "dim")
        reply = terminal.ask()
        if reply is None or not reply.strip():
            return match
        rows = read_labels(reply, count)
        if rows is not None:
            return corrected(match, rows)
        terminal.say(f"Type letters from a to {label(count - 1)}, or nothing.", "yellow")


def _row(terminal: Terminal, row: int, heard: str, says: str, style: Style) -> None:
    terminal.say(f"{label(row)}) {heard} {says}", style, indent=2)
