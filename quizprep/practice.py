"""A learner's practice as functions from arguments to data, for faces that are not a terminal.

They follow the rules of the commands: a grading and an answer are stored as the learner's own, a
hint counts, a model answer is told after a reply only, and a solution after it was earned only.
Their docstrings are what an assistant reads about them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quizprep.api import GradingSession, Verdict, as_text
from quizprep.content.draws import fill
from quizprep.content.library import Library, path_order
from quizprep.content.questions import Choice, Code, Growth, Open, Source
from quizprep.errors import UsageError
from quizprep.grading.attempts import achieved, last_slip, solution_is_open
from quizprep.grading.loop import topics_behind
from quizprep.grading.report import slip_hint
from quizprep.maths import plain
from quizprep.quiz import times
from quizprep.quiz.marking import (
    Invalid,
    OpenMatch,
    mark,
    match_open,
    model_answer,
    understood,
)
from quizprep.quiz.marking.open_answer import corrected, mark_open
from quizprep.quiz.presented import Presented, label, present, read_labels
from quizprep.quiz.recall import recall_by_topic
from quizprep.quiz.scheduling import agree, record, reschedule
from quizprep.quiz.selection import Filter, History, plan
from quizprep.quiz.weakness import concept_title, exercise_for, next_exercise, weaknesses
from quizprep.store import Review, Store

Data = dict[str, Any]
"""What JSON can hold, by field."""

Write = Callable[[str], str]

MOST_WEAK = 8
"""How many weak concepts are named."""


class Practice:
    """The practice over one library, to be called one function at a time; ``close`` ends the
    processes that grade."""

    def __init__(self, library: Library, write: Write = plain) -> None:
        """``write`` makes of a text with mathematics what is shown of it."""
        self._library = library
        self._write = write
        self._session = GradingSession(library)
        self._asked: dict[str, tuple[Presented, int]] = {}
        self._answered: dict[str, tuple[Presented, int, Review]] = {}
        """By question, what was presented, the hints, and the review of the last answer."""
        self._heard: dict[str, tuple[Presented, OpenMatch, Review]] = {}
        self._round = os.urandom(6).hex()

    def close(self) -> None:
        self._session.close()

    def list_content(self) -> Data:
        """List the topics of questions, and the exercises in the order in which to take them."""
        with Store.open() as store:
            passed = {attempt.exercise for attempt in store.attempts() if attempt.passed}
        return {
            "topics": [
                {"topic": topic, "title": bank.title, "questions": len(bank.questions)}
                for topic, bank in self._library.banks.items()
            ],
            "exercises": [
                {
                    "exercise": each.id,
                    "title": each.spec.title,
                    "level": each.spec.level.value,
                    "minutes": each.spec.minutes,
                    "runtime": each.spec.runtime.value,
                    "passed": each.id in passed,
                }
                for each in path_order(self._library.exercises)
            ],
        }

    def show_exercise(self, exercise: str) -> Data:
        """Show the task of an exercise and the starter file to fill in. The learner writes it."""
        found = self._library.exercise(exercise)
        return {
            "exercise": found.id,
            "task": found.text("README.md"),
            "starter": found.text("starter.py"),
        }

    def next_hint(self, exercise: str) -> Data:
        """Show the next of an exercise's hints; each gives away more, and is counted."""
        found = self._library.exercise(exercise)
        hints = found.spec.hints
        with Store.open() as store:
            seen = store.hints_shown(found.id)
            if seen < len(hints):
                store.show_hint(found.id, times.now())
        shown = hints[: seen + 1]
        return {"exercise": found.id, "hints": [each.strip() for each in shown], "of": len(hints)}

    def line_hint(self, exercise: str) -> Data:
        """Show the small change of one line that mends the learner's last grading, if one was
        found. It gives the answer away; offer it last."""
        found = self._library.exercise(exercise)
        with Store.open() as store:
            return {"exercise": found.id, "hint": slip_hint(last_slip(store, found.id))}

    def grade(self, exercise: str, source: str = "", file: str = "") -> Data:
        """Grade the learner's solution of an exercise, given as source text or as the path of a
        Python file. It runs confined; the verdict is stored as the learner's own attempt."""
        if bool(source) == bool(file):
            raise UsageError("Give either source or file.")
        if file and not file.endswith(".py"):
            raise UsageError(f"{file} is no Python file.")
        verdict = self.verdict(exercise, Path(file) if file else source)
        return {
            "exercise": verdict.exercise,
            "passed": verdict.passed,
            "stages": {stage.name: stage.status for stage in verdict.stages},
            "mistakes": [
                {"id": each.id, "says": each.says, "concept": each.concept}
                for each in verdict.mistakes
            ],
            "ask_about": list(topics_behind(verdict)),
            "report": as_text(verdict),
        }

    def verdict(self, exercise: str, source: str | Path, record: bool = True) -> Verdict:
        """The verdict on a solution, stored as the learner's own attempt unless ``record`` is
        false."""
        self._session.record = record
        return self._session.grade(exercise, source)

    def show_solution(self, exercise: str) -> Data:
        """Show the solution of an exercise that the learner has passed, or given up on with
        `quizprep show EXERCISE --give-up`; refused before."""
        found = self._library.exercise(exercise)
        with Store.open() as store:
            if not solution_is_open(store, found.id):
                raise UsageError(
                    f"The solution of {found.id} is shown once the learner has passed it.",
                    hint="Offer a hint instead.",
                )
        return {"exercise": found.id, "solution": found.solution.read_text(encoding="utf-8")}

    def ask(self, topic: str = "", again: bool = False) -> Data:
        """Choose the next question: one that a mistake brought forward, one that is due, or a new
        one. Put it to the learner in these words; the answer is told after mark only.

        again  also questions that are not due yet
        """
        return self.ask_as("", topic, again)

    def ask_as(self, key: str, topic: str = "", again: bool = False) -> Data:
        """Ask under a key of one's own, by which the answer is marked: where one question may be
        open several times, each with its own numbers and order. Without one the key is the
        question's id."""
        topics = [self._library.find_topic(topic)] if topic else list(self._library.topics)
        questions = [(t, q) for t in topics for q in self._library.bank(t).questions]
        with Store.open() as store:
            history = History.of(store, recent=1)
        picks = plan(questions, history, times.now(), Filter(count=None, also_early=again))
        waiting = {presented.question.id for presented, _ in self._asked.values()}
        open_ones = [pick for pick in picks if pick.question.id not in waiting] or picks
        if not open_ones:
            return {"question": None, "note": "Nothing is due; again asks anyway."}
        pick = open_ones[0]
        presented = present(pick.topic, pick.question, int.from_bytes(os.urandom(4)))
        self._asked[key or pick.question.id] = (presented, 0)
        return {
            "question": pick.question.id,
            "topic": pick.topic,
            "level": pick.question.level.value,
            "because": pick.reason or pick.why.value,
            **shown_question(presented, self._write),
        }

    def question_hint(self, question: str) -> Data:
        """Show the next hint for a question that was asked; it counts in the rating."""
        from quizprep.quiz.hints import hints

        presented, shown = self._presented(question)
        titles = [concept_title(self._library, each) for each in presented.question.concepts]
        available = hints(presented, titles)
        if shown >= len(available):
            return {"question": question, "hint": None, "note": "There are no more hints."}
        self._asked[question] = (presented, shown + 1)
        return {"question": question, "hint": available[shown]}

    def understood(self, question: str, reply: str) -> str:
        """What a reply to a question that was asked is read as; nothing is marked or stored."""
        return understood(self._presented(question)[0].question, reply)

    def mark(self, question: str, reply: str) -> Data:
        """Mark the learner's own reply to a question that was asked, in the learner's words, and
        store it. A reply that cannot be read costs nothing: ask again."""
        presented, hints = self._presented(question)
        asked = presented.question
        result = mark(asked, presented.values, reply, presented.shown or None)
        if isinstance(result, Invalid):
            return {"question": question, "marked": False, "expected": result.expected}
        with Store.open() as store:
            review = record(store, presented, reply, result, times.now(), None, self._round, hints)
        del self._asked[question]
        self._answered[question] = (presented, hints, review)
        heard: Data = {}
        if isinstance(asked, Open):
            match = match_open(asked, reply)
            self._heard[question] = (presented, match, review)
            heard = {"heard": heard_rows(presented, match, self._write)}
        answer = model_answer(asked, presented.values, presented.shown or None)
        return {
            "question": question,
            "marked": True,
            "score": result.score,
            "says": [self._write(each) for each in result.says],
            "trap": self._write(result.trap) if result.trap else None,
            "answer": self._write(answer),
            "why": self._write(filled(presented, asked.why)),
            "sources": [_source(self._library.sources[each]) for each in asked.sources],
            "trained_by": asked.exercise or None,
            **heard,
        }

    def correct_mark(self, question: str, letters: str) -> Data:
        """Correct what was heard in an open answer, where the learner says that it was heard
        wrongly: flip the rows of these letters. The mark is stored anew."""
        if question not in self._heard:
            raise UsageError(f"No open answer to {question!r} was marked just now.")
        presented, match, review = self._heard[question]
        count = len(match.covered) + len(match.missing) + len(match.wrong_claims)
        rows = read_labels(letters, count)
        if rows is None:
            raise UsageError(f"Name rows by letters from a to {label(count - 1)}.")
        match = corrected(match, rows)
        result = mark_open(match)
        with Store.open() as store:
            review = agree(store, review, presented, result, times.now())
        self._heard[question] = (presented, match, review)
        self._answered[question] = (presented, self._answered[question][1], review)
        return {
            "question": question,
            "score": result.score,
            "heard": heard_rows(presented, match, self._write),
        }

    def take_back(self, question: str) -> Data:
        """Take the last answer to a question back, as if it had not been given. It can be answered
        again."""
        if question not in self._answered:
            raise UsageError(f"No answer to {question!r} was given just now.")
        presented, hints, review = self._answered.pop(question)
        with Store.open() as store:
            store.void_review(review, times.now(), reschedule)
        self._heard.pop(question, None)
        self._asked[question] = (presented, hints)
        return {"question": question, "taken_back": True}

    def progress(self) -> Data:
        """Say where the learner stands: recall by topic, exercises, what is weak."""
        questions = [(t, q) for t, bank in self._library.banks.items() for q in bank.questions]
        with Store.open() as store:
            history = History.of(store)
            tried = achieved(store.attempts())
        weak = weaknesses([q for _, q in questions], history.answers, history.marks)[:MOST_WEAK]
        return {
            "recall": [
                {
                    "topic": each.topic,
                    "questions": each.questions,
                    "asked": each.asked,
                    "recall": round(each.recall, 3),
                }
                for each in recall_by_topic(questions, history.cards, times.now())
            ],
            "exercises": [
                {"exercise": e.exercise, "passed": e.passed, "gradings": e.attempts} for e in tried
            ],
            "weak": [
                {
                    "concept": concept_title(self._library, each.concept),
                    "because": each.mistake or f"scored {each.score:.2f}",
                    "trained_by": exercise_for(self._library, each.concept),
                }
                for each in weak
            ],
        }

    def next_step(self) -> Data:
        """Say what to do next: how many questions are due, and the next exercise."""
        questions = [(t, q) for t, bank in self._library.banks.items() for q in bank.questions]
        with Store.open() as store:
            history = History.of(store, recent=1)
            following = next_exercise(self._library, store.attempts())
        due = plan(questions, history, times.now(), Filter(only_due=True, count=None))
        return {
            "questions_due": len(due),
            "exercise": following.id if following else None,
            "title": following.spec.title if following else None,
        }

    def _presented(self, question: str) -> tuple[Presented, int]:
        if question not in self._asked:
            raise UsageError(
                f"The question {question!r} was not asked, or is marked already.",
                hint="Ask for one first.",
            )
        return self._asked[question]


def filled(presented: Presented, text: str) -> str:
    return fill(text, presented.question, presented.values).strip()


def _source(source: Source) -> Data:
    link = f"https://arxiv.org/abs/{source.arxiv}" if source.arxiv else None
    return {
        "authors": source.authors,
        "year": source.year,
        "title": source.title,
        "venue": source.venue,
        "link": link,
    }


def heard_rows(presented: Presented, match: OpenMatch, write: Write) -> list[Data]:
    """What the program believes an open answer says, in rows that can be flipped by letter."""
    rows = [
        *(("said", point.says) for point in match.covered),
        *(("missing", point.says) for point in match.missing),
        *(("wrong", claim.says) for claim in match.wrong_claims),
    ]
    return [
        {"letter": label(row), "heard": heard, "point": write(filled(presented, says))}
        for row, (heard, says) in enumerate(rows)
    ]


def shown_question(presented: Presented, write: Write) -> Data:
    """What a learner sees of a question, and how to reply."""
    question = presented.question
    data: Data = {
        "kind": type(question).__name__.lower(),
        "ask": write(filled(presented, question.ask)),
    }
    if presented.rows:
        data["options"] = {
            label(row): write(filled(presented, text)) for row, text in enumerate(presented.sources)
        }
        data["several"] = (
            isinstance(question, Choice) and sum(option.right for option in question.options) > 1
        )
        data["reply"] = "letters of the options"
    match question:
        case Code(snippet=snippet):
            data["snippet"] = snippet
        case Growth(symbols=symbols, where=where):
            data["symbols"] = {
                name: write(filled(presented, text)) for name, text in symbols.items()
            }
            data["where"] = list(where)
            data["reply"] = "a big-O expression"
    return data
