"""What can be wrong with the entries of cheat sheets: names of what is not there, and formulas."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from quizprep import maths
from quizprep.authoring.references import unknown_names
from quizprep.content.cheat import ClaimEntry, FormulaEntry, NumberEntry, TopicCheat
from quizprep.content.library import CHEAT, Library
from quizprep.content.loading import placed
from quizprep.content.yaml_tree import Finding, Steps
from quizprep.errors import ContentError, Problem
from quizprep.formula import FormulaError, parse


def cheat_problems(library: Library) -> list[Problem]:
    """What is wrong in the library's own file, by line; nothing where it has none."""
    path = library.question_folder / CHEAT
    if not path.is_file():
        return []
    with contextlib.suppress(ContentError):
        return placed(path, list(_findings(library)))
    return []


def shown_texts(topic: TopicCheat) -> Iterator[tuple[Steps, str]]:
    """Every text that is shown, with where it stands in the topic."""
    yield ("say",), topic.say
    for place, entry in enumerate(topic.entries):
        steps: Steps = ("entries", place)
        match entry:
            case ClaimEntry():
                yield (*steps, "claim"), entry.claim
                yield (*steps, "truth"), entry.truth
            case FormulaEntry():
                yield (*steps, "says"), entry.says
                yield (*steps, "formula"), f"${entry.formula}$"
            case NumberEntry():
                yield (*steps, "says"), entry.says


def _findings(library: Library) -> Iterator[Finding]:
    content = library.cheat
    for name, fact in content.facts.items():
        yield from unknown_names(("facts", name), (fact.source,), library.sources, "sources.yaml")
    known = "the topics"
    yield from unknown_names(("topics",), tuple(content.topics), library.topics, known)
    for name, topic in content.topics.items():
        for steps, text in shown_texts(topic):
            for fault in maths.problems(text):
                yield ("topics", name, *steps), fault
        for place, entry in enumerate(topic.entries):
            if isinstance(entry, NumberEntry):
                steps = ("topics", name, "entries", place)
                yield from unknown_names((*steps, "of"), entry.of, content.facts, "facts")
                try:
                    parse(entry.answer).evaluate(content.values(entry))
                except FormulaError as error:
                    yield (*steps, "answer"), str(error)
