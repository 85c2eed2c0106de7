"""What a round prints: the question, the explanation, the summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from quizprep.cli.terminal import Style, Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Choice, Cloze, Code, Growth, Number, Open, Order, Source
from quizprep.quiz.labels import label
from quizprep.quiz.presented import Posed, could_be_a_reply
from quizprep.quiz.selection import Outcome, Pick, Why
from quizprep.store import Store

if TYPE_CHECKING:
    from quizprep.quiz.marking.mark import Mark


def show_question(
    terminal: Terminal, pick: Pick, posed: Posed, place: int, total: int, undo: bool
) -> None:
    """The question, what to choose from, and what to type; with undo, also how to take back."""
    terminal.heading(f"{place} of {total}: {pick.topic}, {pick.question.level}")
    if pick.why is Why.BROUGHT_FORWARD and pick.reason:
        terminal.say(f"Brought forward: {pick.reason}", "yellow")
    show_posed(terminal, posed)
    keys = {"?": "hint", "x": "show me", "s": "skip", "u": "undo", "q": "leave"}
    if not undo:
        del keys["u"]
    colon = ":" if any(could_be_a_reply(posed.question, key) for key in keys) else ""
    listed = ", ".join(f"{colon}{key} {does}" for key, does in keys.items())
    terminal.say(f"{what_to_type(terminal, posed)} ({listed})", "dim")


def show_posed(terminal: Terminal, posed: Posed) -> None:
    """The text of a question, and what to choose from."""
    terminal.say(posed.text(posed.question.ask))
    match posed.question:
        case Code(snippet=snippet):
            terminal.block(snippet)
        case Growth(symbols=symbols, where=where):
            for name, meaning in symbols.items():
                terminal.say(f"{name}: {posed.text(meaning)}", indent=2)
            for relation in where:
                terminal.say(relation, indent=2)
    for row, text in enumerate(posed.rows):
        terminal.say(f"{label(row)}) {text}", indent=2)


def what_to_type(terminal: Terminal, posed: Posed) -> str:
    """What a reply to this kind of question looks like, and at a terminal how a long one ends."""
    match posed.question:
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


def show_hint(terminal: Terminal, library: Library, posed: Posed, shown: int) -> int:
    """The next hint; returns how many were shown now, 0 where there are no more."""
    from quizprep.quiz.hints import hints
    from quizprep.quiz.weakness import concept_title

    concepts = [concept_title(library, concept) for concept in posed.question.concepts]
    available = hints(posed, concepts)
    if shown >= len(available):
        terminal.say("No more hints." if available else "There is no hint for this one.")
        return 0
    terminal.say(f"Hint: {available[shown]}", "yellow")
    return 1


def show_mark(terminal: Terminal, library: Library, store: Store, posed: Posed, mark: Mark) -> None:
    """The mark, the reason, the named trap, the answer, why, sources, and what trains it."""
    from quizprep.maths import plain
    from quizprep.quiz.marking import model_answer

    verdict, style = _verdict(mark)
    terminal.say()
    terminal.say(verdict, style)
    for reason in mark.says:
        terminal.say(plain(reason), indent=2)
    if mark.trap and not any(mark.trap in reason for reason in mark.says):
        terminal.say(plain(mark.trap), indent=2)
    answer = plain(model_answer(posed.question, posed.values, posed.shown or None))
    if not mark.right or isinstance(posed.question, Open | Number):
        if isinstance(posed.question, Code):
            terminal.say("Answer:")
            terminal.block(answer)
        elif "\n" in answer:
            terminal.say("Answer:")
            terminal.say(answer, indent=2)
        else:
            terminal.say(f"Answer: {answer}")
    terminal.say(f"Why: {posed.text(posed.question.why)}")
    terminal.say(f"Source: {_sources(library, posed.question.sources)}", "dim")
    if not mark.right and posed.question.exercise:
        terminal.say(f"Train it: {_training(store, posed.question.exercise)}")


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


def _training(store: Store, exercise: str) -> str:
    command = "grade" if store.attempts(exercise) else "start"
    return f"quizprep {command} {exercise}"


def show_summary(
    terminal: Terminal, library: Library, store: Store, outcome: Outcome, seed: int
) -> None:
    """The score, the concepts missed and the exercise that trains each."""
    terminal.heading("Summary")
    scores = outcome.scores
    skipped = f" {outcome.skipped} skipped." if outcome.skipped else ""
    if not scores:
        terminal.say(f"No question answered.{skipped}")
        return
    right = sum(score >= 1 for score in scores)
    terminal.say(
        f"{right} of {len(scores)} right, {sum(scores):.3g} of {len(scores)} points.{skipped}"
    )
    show_training(terminal, library, store, outcome.missed)
    terminal.say(f"Same numbers again: --seed {seed}", "dim")


def show_training(
    terminal: Terminal, library: Library, store: Store, missed: Iterable[Pick]
) -> None:
    """The concepts of the questions that were missed, and the exercise that trains each."""
    from quizprep.quiz.weakness import concept_title, exercise_for

    def training_for(concept: str, named: str | None) -> str | None:
        """A question's exercise may train another of its concepts better than this one."""
        if named in library.exercise_ids and concept in library.exercise(named).spec.concepts:
            return named
        return exercise_for(library, concept) or named

    concepts = _missed_concepts(missed)
    if concepts:
        terminal.say("To work on:")
    for concept, named in concepts.items():
        exercise = training_for(concept, named)
        training = f": {_training(store, exercise)}" if exercise else ""
        terminal.say(f"- {concept_title(library, concept)}{training}", indent=2)


def _missed_concepts(missed: Iterable[Pick]) -> dict[str, str | None]:
    """Every concept of the missed questions, with the exercise that a question names for it."""
    found: dict[str, str | None] = {}
    for pick in missed:
        for concept in pick.question.concepts:
            found[concept] = found.get(concept) or pick.question.exercise
    return found
