"""From the library to a sheet: pure functions, every number computed by its formula."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from quizprep.content.draws import parsed
from quizprep.content.exercises import Limit as LimitSpec
from quizprep.content.library import Exercise, Library, path_order
from quizprep.content.measured import Measured, figures, fresh_costs
from quizprep.content.questions import Bank, Level, Question
from quizprep.formula.latex import growth_latex, latex
from quizprep.meter import Meter
from quizprep.quiz.presented import present
from quizprep.sheets.cards import card
from quizprep.sheets.essence import essence
from quizprep.sheets.model import Drill, Limit, Reference, Section, Sheet
from quizprep.sheets.pictures import masks, plots
from quizprep.sheets.prose import check_maths, prose

TITLE = "Attention, for the interview"


@dataclass(frozen=True)
class Wanted:
    """What goes onto a sheet.

    topics   names, in the order of the sheet
    levels   the levels of the questions; all where empty
    missed   if given, only these questions, the weakest first: the reason by question
    answers  False for a self-test
    seed     draws the numbers of the questions and the order of their options
    note     a line under the title
    """

    topics: Sequence[str]
    levels: Collection[Level] = ()
    missed: Mapping[str, str] | None = None
    answers: bool = True
    seed: int = 0
    note: str = ""


def build(library: Library, wanted: Wanted) -> Sheet:
    """The sheet; topics without a chosen question are left out. Raises ContentError."""
    rank = {name: place for place, name in enumerate(wanted.missed or ())}
    banks = {topic: library.bank(topic) for topic in wanted.topics}
    chosen = {topic: _chosen(bank, wanted, rank) for topic, bank in banks.items()}
    filled = [topic for topic, questions in chosen.items() if questions]
    if wanted.missed is not None:  # the topic with the weakest question first
        filled.sort(key=lambda topic: rank[chosen[topic][0].id])
    ordered = [question for topic in filled for question in chosen[topic]]
    numbers = {question.id: number for number, question in enumerate(ordered, 1)}
    stored = figures(library)
    sections = tuple(
        _section(library, banks[topic], chosen[topic], numbers, wanted, stored) for topic in filled
    )
    title = sections[0].title if len(sections) == 1 else TITLE
    return Sheet(title, wanted.note, wanted.answers, sections)


def _chosen(bank: Bank, wanted: Wanted, rank: Mapping[str, int]) -> list[Question]:
    admitted = [q for q in bank.questions if not wanted.levels or q.level in wanted.levels]
    if wanted.missed is None:
        return admitted
    return sorted((q for q in admitted if q.id in rank), key=lambda q: rank[q.id])


def _section(
    library: Library,
    bank: Bank,
    questions: Sequence[Question],
    numbers: Mapping[str, int],
    wanted: Wanted,
    stored: Mapping[str, Measured],
) -> Section:
    check_maths(bank.topic, "template", bank.template)
    missed = wanted.missed or {}
    cards = tuple(
        card(
            present(bank.topic, question, wanted.seed),
            numbers,
            tuple((name, _concept_title(library, name)) for name in question.concepts),
            missed.get(question.id, ""),
        )
        for question in questions
    )
    exercises = _exercises(library, bank.topic, questions)
    named = {source for question in questions for source in question.sources}
    named |= {source for exercise in exercises for source in exercise.spec.sources}
    return Section(
        topic=bank.topic,
        title=bank.title,
        template=prose(bank.template),
        cards=cards,
        drills=tuple(_drill(exercise, fresh_costs(exercise, stored)) for exercise in exercises),
        references=tuple(_reference(library, name) for name in sorted(named)),
        masks=masks(bank.topic, library, stored),
        plots=plots(bank.topic, library, stored),
        essence=essence(library.cheat, bank),
    )


def _concept_title(library: Library, name: str) -> str:
    known = library.concepts.get(name)
    return known.title if known else name


def _exercises(library: Library, topic: str, questions: Sequence[Question]) -> list[Exercise]:
    """Exercises on a concept of the topic or named by a question, in the order to take them."""
    named = {question.exercise for question in questions}
    concepts = library.concepts_of(topic)
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


def _drill(exercise: Exercise, costs: Mapping[str, str]) -> Drill:
    """An exercise's line on a sheet; ``costs`` are its solution's, by meter, where known."""
    limits = exercise.spec.contract.limits().items()
    return Drill(
        exercise.id,
        exercise.spec,
        tuple(_limit(meter, limit, costs.get(str(meter), "")) for meter, limit in limits),
    )


def _limit(meter: Meter, limit: LimitSpec, measured: str) -> Limit:
    says = [f"at most {limit.budget:g} times the solution"] if limit.budget is not None else []
    bound = growth_latex(parsed(limit.growth)) if limit.growth is not None else ""
    if limit.exact is not None:
        bound = latex(parsed(limit.exact))
        says.insert(0, "exactly")
    own = latex(parsed(measured)) if measured else ""
    return Limit(meter.title, bound, "; ".join(says), own)
