"""From the library to a sheet: pure functions, every number computed by its formula."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from quizprep.content import mathtext
from quizprep.content.curriculum import path_order
from quizprep.content.figures import Measured, figures, fresh_costs
from quizprep.content.library import Exercise, Library
from quizprep.content.questions import Bank, Level, Question
from quizprep.errors import ContentError, Problem
from quizprep.quiz.presented import present
from quizprep.sheets.cards import card
from quizprep.sheets.drills import drill
from quizprep.sheets.model import Concept, Reference, Section, Sheet
from quizprep.sheets.pictures import masks, plots
from quizprep.sheets.prose import prose

TITLE = "Attention, for the interview"


@dataclass(frozen=True)
class Wanted:
    """What goes onto a sheet.

    topics   their names, in the order of the sheet
    levels   only these; all where empty
    missed   where given: only these questions, each with the reason, the weakest first
    answers  without them the sheet is a self-test
    seed     chooses the numbers of the questions and the order of their options
    note     a line under the title
    """

    topics: Sequence[str]
    levels: Collection[Level] = ()
    missed: Mapping[str, str] | None = None
    answers: bool = True
    seed: int = 0
    note: str = ""


def build(library: Library, wanted: Wanted) -> Sheet:
    """The sheet; topics without a question that fits are left out. Raises ContentError."""
    banks = {topic: library.bank(topic) for topic in wanted.topics}
    chosen = {topic: _chosen(bank, wanted) for topic, bank in banks.items()}
    ordered = [topic for topic in _ordered(chosen, wanted) if chosen[topic]]
    numbers = _numbers(chosen[topic] for topic in ordered)
    kept = figures(library)
    sections = tuple(
        _section(library, banks[topic], chosen[topic], numbers, wanted, kept) for topic in ordered
    )
    title = sections[0].title if len(sections) == 1 else TITLE
    return Sheet(title, wanted.note, wanted.answers, sections)


def _chosen(bank: Bank, wanted: Wanted) -> list[Question]:
    admitted = [q for q in bank.questions if not wanted.levels or q.level in wanted.levels]
    if wanted.missed is None:
        return admitted
    rank = {name: place for place, name in enumerate(wanted.missed)}
    return sorted((q for q in admitted if q.id in rank), key=lambda q: rank[q.id])


def _ordered(chosen: Mapping[str, Sequence[Question]], wanted: Wanted) -> list[str]:
    """Topics as named; by their weakest question on a sheet of what is missed."""
    if wanted.missed is None:
        return list(chosen)
    rank = {name: place for place, name in enumerate(wanted.missed)}
    filled = [topic for topic, questions in chosen.items() if questions]
    return sorted(filled, key=lambda topic: rank[chosen[topic][0].id])


def _numbers(groups: Iterable[Sequence[Question]]) -> dict[str, int]:
    """Questions counted through the whole sheet, from 1."""
    flat = [question.id for group in groups for question in group]
    return {name: place for place, name in enumerate(flat, 1)}


def _section(
    library: Library,
    bank: Bank,
    questions: Sequence[Question],
    numbers: Mapping[str, int],
    wanted: Wanted,
    kept: Mapping[str, Measured],
) -> Section:
    _lint(bank.topic, "template", bank.template)
    missed = wanted.missed or {}
    cards = tuple(
        card(
            present(bank.topic, question, wanted.seed),
            numbers,
            [_concept(library, name) for name in question.concepts],
            missed.get(question.id, ""),
        )
        for question in questions
    )
    exercises = _exercises(library, bank.topic, questions)
    named = [*_sources(questions), *(s for e in exercises for s in e.spec.sources)]
    return Section(
        topic=bank.topic,
        title=bank.title,
        template=prose(bank.template),
        cards=cards,
        drills=tuple(drill(exercise, fresh_costs(exercise, kept)) for exercise in exercises),
        references=tuple(_reference(library, name) for name in sorted(set(named))),
        masks=masks(bank.topic, library, kept),
        plots=plots(bank.topic, library, kept),
    )


def _lint(where: str, field_name: str, text: str) -> None:
    if faults := mathtext.problems(text):
        raise ContentError([Problem(where, None, field_name, fault) for fault in faults])


def _concept(library: Library, name: str) -> Concept:
    known = library.concepts.get(name)
    return Concept(name, known.title if known else name)


def _sources(questions: Iterable[Question]) -> list[str]:
    return [source for question in questions for source in question.sources]


def _exercises(library: Library, topic: str, questions: Sequence[Question]) -> list[Exercise]:
    """Those on a concept of the topic, and those that a question names; in a sensible order."""
    named = {question.exercise for question in questions}
    concepts = {name for name, concept in library.concepts.items() if concept.topic == topic}
    return path_order(
        exercise
        for exercise in library.exercises
        if exercise.id in named or concepts.intersection(exercise.spec.concepts)
    )


def _reference(library: Library, name: str) -> Reference:
    source = library.sources.get(name)
    if source is None:
        return Reference(name, name, "", "", "")
    place = f"arXiv {source.arxiv}" if source.arxiv else source.venue
    url = f"https://arxiv.org/abs/{source.arxiv}" if source.arxiv else ""
    return Reference(name, f"{source.authors} {source.year}", source.title, place, url)
