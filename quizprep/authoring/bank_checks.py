"""Checks of question banks beyond loading: references, ids, and each question on its own.

``load_library_problems`` reports files that do not load, ``check_banks`` what is wrong in those
that do. Snippets of code questions are slow to run; ``quizprep.authoring.snippets`` does that.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import partial

from quizprep import maths
from quizprep.authoring.chain_checks import chain_findings
from quizprep.authoring.cheat_checks import cheat_problems
from quizprep.authoring.picture_checks import picture_problems
from quizprep.authoring.question_checks import question_findings
from quizprep.authoring.references import circle, reference_findings, unknown_names
from quizprep.authoring.scaffold import unfinished
from quizprep.content.library import HARDWARE, PLOTS, Library, plain_id, shipped_root
from quizprep.content.loading import placed, shown_path
from quizprep.content.questions import Bank, Question
from quizprep.content.yaml_tree import Finding
from quizprep.errors import ContentError, Problem


def load_library_problems(library: Library) -> list[Problem]:
    """The problems of every file that does not load: banks, concepts, sources, pictures,
    exercises."""
    loads: list[Callable[[], object]] = [lambda: library.concepts, lambda: library.sources]
    own = library.root / "exercises"
    loads += [lambda: library.pictures] if (own / PLOTS).is_file() else []
    loads += [lambda: library.hardware] if (own / HARDWARE).is_file() else []
    loads += [partial(library.bank, topic) for topic in library.topics]
    loads += [partial(library.exercise, name) for name in library.exercise_ids]
    problems: list[Problem] = []
    for load in loads:
        try:
            load()
        except ContentError as error:
            problems += error.problems
    return problems


def check_banks(library: Library) -> list[Problem]:
    """Every problem of the banks that load, by file and line.

    Files that do not load are skipped, and references to them are not reported:
    ``load_library_problems`` reports the files.
    """
    banks = loaded_banks(library)
    complete = len(banks) == len(library.topics)
    known = _Known(library, banks, complete)
    problems: list[Problem] = []
    for topic, bank in banks.items():
        path = library.question_folder / f"{topic}.yaml"
        findings = [*_bank_findings(topic, bank), *known.findings(topic, bank)]
        for place, question in enumerate(bank.questions):
            findings += [
                (("questions", place, *steps), message)
                for steps, message in question_findings(question)
            ]
        found = [*placed(path, findings), *unfinished(path)]
        problems += sorted(found, key=lambda problem: problem.line or 0)
    problems += [*_concept_problems(library), *picture_problems(library)]
    problems += cheat_problems(library)
    return problems + (_unasked(library, banks.values()) if complete else [])


def check_exercises(library: Library, names: Collection[str]) -> list[Problem]:
    """References in exercise.yaml files to things that do not exist, by file and line."""
    banks = library if (library.root / "questions").is_dir() else Library(shipped_root())
    concepts, sources = _keys(lambda: banks.concepts), _keys(lambda: banks.sources)
    exercises = {exercise.id: exercise for exercise in library.exercises}
    after = {name: exercise.spec.after for name, exercise in exercises.items()}
    known = {*after, *Library(shipped_root()).exercise_ids}
    problems: list[Problem] = []
    for name in names:
        findings = [*reference_findings(exercises[name].spec, concepts, sources, known)]
        if way := circle(after, name):
            findings.append((("after",), f"leads back to itself: {' after '.join(way[::-1])}"))
        problems += placed(exercises[name].folder / "exercise.yaml", findings)
    return problems


def loaded_banks(library: Library) -> dict[str, Bank]:
    """The banks that load, by topic; ``load_library_problems`` reports the others."""
    banks: dict[str, Bank] = {}
    for topic in library.topics:
        with contextlib.suppress(ContentError):
            banks[topic] = library.bank(topic)
    return banks


def _bank_findings(topic: str, bank: Bank) -> Iterator[Finding]:
    if bank.topic != topic:
        yield ("topic",), f"is {bank.topic!r} in a file called {topic}.yaml; make them the same"
    if not bank.title.strip():
        yield ("title",), "is empty; write the topic's title"
    for message in maths.problems(bank.template):
        yield ("template",), message


class _Known:
    """What questions may refer to; a table that does not load is None, and any reference passes."""

    def __init__(self, library: Library, banks: dict[str, Bank], complete: bool) -> None:
        self.first: dict[str, tuple[str, str]] = {}
        for topic, bank in banks.items():
            for question in bank.questions:
                self.first.setdefault(plain_id(question.id), (topic, question.id))
        ids = {question.id for bank in banks.values() for question in bank.questions}
        self.questions: Collection[str] | None = ids if complete else None
        self.levels = {q.id: q.level for bank in banks.values() for q in bank.questions}
        self.chains = Counter(chain.id for bank in banks.values() for chain in bank.chains)
        self.concepts = _keys(lambda: library.concepts)
        self.sources = _keys(lambda: library.sources)
        self._exercise_home = _exercise_home(library)
        self.exercises: Collection[str] = self._exercise_home.exercise_ids
        self._concepts_of: dict[str, frozenset[str] | None] = {}

    def findings(self, topic: str, bank: Bank) -> Iterator[Finding]:
        seen: set[str] = set()
        for place, question in enumerate(bank.questions):
            plain = plain_id(question.id)
            owner, spelling = self.first[plain]
            if owner != topic or plain in seen:
                where = "this bank" if owner == topic else f"{owner}.yaml"
                message = f"is taken by {spelling} in {where}; ids differ over all banks"
                yield ("questions", place, "id"), message
            seen.add(plain)
            for steps, message in self._references(question):
                yield ("questions", place, *steps), message
        if self.questions is not None:
            yield from chain_findings(bank, self.levels, self.chains)

    def _references(self, question: Question) -> Iterator[Finding]:
        yield from unknown_names(("concepts",), question.concepts, self.concepts, "concepts.yaml")
        yield from unknown_names(("sources",), question.sources, self.sources, "sources.yaml")
        yield from unknown_names(("follow_ups",), question.follow_ups, self.questions, "any bank")
        if question.id in question.follow_ups:
            yield ("follow_ups",), "names the question itself; name another one"
        if question.exercise is not None and question.exercise not in self.exercises:
            listed = ", ".join(self.exercises) or "none"
            message = f"{question.exercise} is not a folder under exercises (there are: {listed})"
            yield ("exercise",), message
        elif question.exercise is not None:
            trained = self._trained(question.exercise)
            if trained is not None and not trained & {*question.concepts}:
                message = f"{question.exercise} trains none of this question's concepts"
                advice = f"it trains {', '.join(sorted(trained))}; name another one, or none"
                yield ("exercise",), f"{message}: {advice}"

    def _trained(self, exercise: str) -> frozenset[str] | None:
        """The concepts of an exercise; None if it does not load."""
        if exercise not in self._concepts_of:
            try:
                concepts = self._exercise_home.exercise(exercise).spec.concepts
                self._concepts_of[exercise] = frozenset(concepts)
            except ContentError:
                self._concepts_of[exercise] = None
        return self._concepts_of[exercise]


def _exercise_home(library: Library) -> Library:
    """Where exercises are looked up: a folder with banks only may refer to the shipped ones."""
    return library if (library.root / "exercises").is_dir() else Library(shipped_root())


def _keys(load: Callable[[], Collection[str]]) -> Collection[str] | None:
    try:
        return load()
    except ContentError:
        return None


def _concept_problems(library: Library) -> list[Problem]:
    """Concept ids that differ only in hyphens, which users cannot tell apart."""
    seen: dict[str, str] = {}
    problems: list[Problem] = []
    for name in _keys(lambda: library.concepts) or ():
        other = seen.setdefault(plain_id(name), name)
        if other != name:
            path = shown_path(library.question_folder / "concepts.yaml")
            problems.append(Problem(path, None, name, f"is {other} in another spelling; keep one"))
    return problems


def _unasked(library: Library, banks: Collection[Bank]) -> list[Problem]:
    """Concepts in this library's own list that no question is about."""
    path = library.question_folder / "concepts.yaml"
    if not path.is_file():
        return []
    asked = {name for bank in banks for question in bank.questions for name in question.concepts}
    findings: list[Finding] = [
        ((name,), "no question is about it; write one, or remove the concept")
        for name in _keys(lambda: library.concepts) or ()
        if name not in asked
    ]
    return placed(path, findings)
