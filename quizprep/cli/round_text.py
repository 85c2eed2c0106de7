"""What is printed about a question: the question, hints, its mark, the summary of a round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from quizprep.cli.terminal import Style, Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Choice, Cloze, Code, Growth, Number, Open, Order, Source
from quizprep.quiz.presented import Presented, colon_for, label, read_labels
from quizprep.quiz.selection import Pick, Why
from quizprep.quiz.weakness import (
    command_for,
    concept_title,
    training_command,
    training_for,
    tried_exercises,
)
from quizprep.store import Store

if TYPE_CHECKING:
    from quizprep.quiz.marking import OpenMatch
    from quizprep.quiz.marking.reply import Mark


KEYS = {
    "?": "hint", "x": "show me", "s": "skip", "*": "bookmark", "u": "undo", "q": "leave",
}  # fmt: skip
"""The keys of a round's prompt."""


def show_question(
    terminal: Terminal,
    pick: Pick,
    presented: Presented,
    where: str,
    undo: bool,
    note: str | None = None,
) -> None:
    """Print the question, its options and the keys.

    where  its place in the round, such as ``2 of 10``
    undo   whether u is one of the keys
    note   of its bookmark; None if it has none
    """
    terminal.heading(f"{where}: {pick.topic}, {pick.question.level}")
    if note is not None:
        terminal.say(f"Bookmarked: {note}" if note else "Bookmarked.", "dim")
    if pick.why is Why.BROUGHT_FORWARD and pick.reason:
        terminal.say(f"Brought forward: {pick.reason}", "yellow")
    show_presented(terminal, presented)
    keys = [key for key in KEYS if key != "u" or undo]
    colon = colon_for(presented.question, keys)
    listed = ", ".join(f"{colon}{key} {KEYS[key]}" for key in keys)
    terminal.say(f"{what_to_type(terminal, presented)} ({listed})", "dim")


def show_presented(terminal: Terminal, presented: Presented) -> None:
    """Print the text of a question and what there is to choose from."""
    terminal.say(presented.text(presented.question.ask))
    match presented.question:
        case Code(snippet=snippet):
            terminal.block(snippet)
        case Growth(symbols=symbols, where=where):
            for name, meaning in symbols.items():
                terminal.say(f"{name}: {presented.text(meaning)}", indent=2)
            for relation in where:
                terminal.say(relation, indent=2)
    for row, text in enumerate(presented.rows):
        terminal.say(f"{label(row)}) {text}", indent=2)


def what_to_type(terminal: Terminal, presented: Presented) -> str:
    """What a reply to this kind of question looks like, and how a long one ends."""
    match presented.question:
        case Choice(options=options):
            several = sum(option.right for option in options) > 1
            return "One or more letters." if several else "One letter."
        case Number(unit=unit):
            return f"A number in {unit}, or with its own unit." if unit else "A number."
        case Order():
            return "The letters in order."
        case Growth():
            return "A big-O expression."
        case Cloze():
            return "What fills ___."
        case Code():
            return "What it prints."
        case Open():
            ends = " An empty line ends it." if terminal.interactive else ""
            return f"Answer as you would speak.{ends}"


def show_hint(terminal: Terminal, library: Library, presented: Presented, shown: int) -> int:
    """Print the next hint; returns 1, or 0 if there are no more."""
    from quizprep.quiz.hints import hints

    concepts = [concept_title(library, concept) for concept in presented.question.concepts]
    available = hints(presented, concepts)
    if shown >= len(available):
        terminal.say("No more hints." if available else "There is no hint for this one.")
        return 0
    terminal.say(f"Hint: {available[shown]}", "yellow")
    return 1


def show_mark(
    terminal: Terminal, library: Library, store: Store, presented: Presented, mark: Mark
) -> None:
    """Print the mark, its reasons, the trap, the answer, why, sources, and what trains it."""
    from quizprep.maths import plain

    verdict, style = _verdict(mark)
    terminal.say()
    terminal.say(verdict, style)
    for reason in mark.says:
        terminal.say(plain(reason), indent=2)
    if mark.trap and not any(mark.trap in reason for reason in mark.says):
        terminal.say(plain(mark.trap), indent=2)
    show_answer(terminal, library, store, presented, mark.right)


def show_answer(
    terminal: Terminal, library: Library, store: Store, presented: Presented, right: bool
) -> None:
    """Print the answer, unless a right reply repeats it, why it is so, and what trains it."""
    from quizprep.maths import plain
    from quizprep.quiz.marking import model_answer

    answer = plain(model_answer(presented.question, presented.values, presented.shown or None))
    if not right or isinstance(presented.question, Open | Number):
        if isinstance(presented.question, Code):
            terminal.say("Answer:")
            terminal.block(answer)
        elif "\n" in answer:
            terminal.say("Answer:")
            terminal.say(answer, indent=2)
        else:
            terminal.say(f"Answer: {answer}")
    terminal.say(f"Why: {presented.text(presented.question.why)}")
    terminal.say(f"Source: {_sources(library, presented.question.sources)}", "dim")
    if not right and presented.question.exercise:
        terminal.say(f"Train it: {_command(store, presented.question.exercise)}")


def _verdict(mark: Mark) -> tuple[str, Style]:
    if mark.right:
        return "Right.", "green"
    if mark.score > 0:
        return f"Partly right: {round(100 * mark.score)}%.", "yellow"
    return "Not right.", "red"


def _sources(library: Library, ids: Iterable[str]) -> str:
    return "; ".join(_source(library.sources.get(id), id) for id in ids)


def _source(source: Source | None, id: str) -> str:
    if source is None:
        return id
    place = f"arXiv {source.arxiv}" if source.arxiv else source.venue
    return f"{source.authors} {source.year}, {place}".rstrip(", ")


def _command(store: Store, exercise: str) -> str:
    return training_command(exercise, tried=bool(store.attempts(exercise)))


def show_summary(
    terminal: Terminal,
    library: Library,
    store: Store,
    scores: Sequence[float],
    missed: Sequence[Pick],
    skipped: int,
    seed: int,
) -> None:
    """Print the score of a round, the concepts missed, and the exercise that trains each."""
    terminal.heading("Summary")
    also = f" {skipped} skipped." if skipped else ""
    if not scores:
        terminal.say(f"No question answered.{also}")
        return
    right = sum(score >= 1 for score in scores)
    terminal.say(
        f"{right} of {len(scores)} right, {sum(scores):.3g} of {len(scores)} points.{also}"
    )
    show_training(terminal, library, store, missed)
    terminal.say(f"Same numbers again: --seed {seed}", "dim")


def show_training(
    terminal: Terminal, library: Library, store: Store, missed: Iterable[Pick]
) -> None:
    """Print the concepts of the questions missed, and the exercise that trains each."""
    concepts = list(training_for(library, (pick.question for pick in missed)))
    tried = tried_exercises(store.attempts()) if concepts else {}
    if concepts:
        terminal.say("To work on:")
    for concept, exercise in concepts:
        command = command_for(library, concept, tried, exercise)
        training = f": {command}" if command else ""
        terminal.say(f"- {concept_title(library, concept)}{training}", indent=2)


def agreed(terminal: Terminal, presented: Presented, match: OpenMatch) -> OpenMatch:
    """Show what was heard, let the learner flip rows by letter, and return what was agreed.

    Enter, or the end of input, agrees to what the program heard.
    """
    from quizprep.quiz.marking.open_answer import corrected

    points = [*match.covered, *match.missing]
    claims = [*match.wrong_claims]
    terminal.say()
    terminal.say("What I heard:", "bold")
    for row, point in enumerate(points):
        heard = "said   " if point in match.covered else "missing"
        style: Style = "green" if point in match.covered else "yellow"
        _row(terminal, row, heard, presented.text(point.says), style)
    for row, claim in enumerate(claims, start=len(points)):
        _row(terminal, row, "wrong  ", presented.text(claim.says), "red")
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
