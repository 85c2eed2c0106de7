"""``quizprep search``: questions, exercises and concepts by words of their text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from quizprep.cli.options import HELP_NAMES, bank_option, library_of
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library
from quizprep.quiz.weakness import concept_title
from quizprep.text import counted, json_text

_SHOWN = 20
"""How many questions are printed; JSON has all."""

Matches = Callable[[str], bool]


@click.command(context_settings=HELP_NAMES)
@click.argument("words", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@bank_option
def search(words: tuple[str, ...], as_json: bool, bank: Path | None) -> None:
    """Find questions, exercises and concepts in which all WORDS occur; beginnings are enough.

    quizprep ask takes the name of a question or of a concept that was found.
    """
    library = library_of(bank)
    # "ring" is to find "ring attention" and "rings", not "storing".
    wanted = [re.compile(rf"(?<!\w){re.escape(w)}", re.I) for w in " ".join(words).split()]

    def matches(text: str) -> bool:
        return all(word.search(text) for word in wanted)

    concepts, exercises, questions = _found(library, matches)
    if as_json:
        click.echo(
            json_text(
                {
                    "format": 1,
                    "concepts": [{"concept": id, "title": title} for id, title in concepts],
                    "exercises": [{"exercise": id, "title": title} for id, title in exercises],
                    "questions": [
                        {"question": id, "topic": topic, "ask": ask} for id, topic, ask in questions
                    ],
                }
            )
        )
        return
    terminal = Terminal()
    if not (concepts or exercises or questions):
        terminal.say("Nothing found. quizprep list names topics and exercises.")
    for title, verb, rows in (
        ("Concepts", "ask", concepts),
        ("Exercises", "show", exercises),
        ("Questions", "ask", [(id, ask) for id, _, ask in questions[:_SHOWN]]),
    ):
        if rows:
            terminal.heading(title)
        for id, text in rows:
            terminal.say(text)
            terminal.say(f"quizprep {verb} {id}", "dim", indent=2)
    if len(questions) > _SHOWN:
        more = counted(len(questions) - _SHOWN, "more question")
        terminal.say(f"and {more}: add a word.", "dim")


def _found(
    library: Library, matches: Matches
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Concepts and exercises with their titles; questions with topic and text, one draw of it."""
    from quizprep.quiz.presented import present

    concepts = [
        (id, concept.title)
        for id, concept in library.concepts.items()
        if matches(f"{id} {concept.title}") and concept.topic in library.topics
    ]
    exercises = [
        (each.id, each.spec.title)
        for each in library.exercises
        if matches(" ".join([each.id, each.spec.title, *_titles(library, each.spec.concepts)]))
    ]
    questions = []
    for id, (topic, question) in library.questions.items():
        about = " ".join([id, topic, *_titles(library, question.concepts)])
        if matches(f"{about} {question.ask} {question.why}"):
            presented = present(topic, question, 0)
            questions.append((id, topic, " ".join(presented.text(question.ask).split())))
    return concepts, exercises, questions


def _titles(library: Library, concepts: tuple[str, ...]) -> list[str]:
    return [concept_title(library, concept) for concept in concepts]
