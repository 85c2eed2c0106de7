"""Which questions a round asks, in which order, with which draws; pure functions."""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from quizprep.content.questions import Level, Question
from quizprep.quiz.scheduling import cards_after, is_due, kind_of
from quizprep.quiz.weakness import Answers, answered_since, score, to_settle
from quizprep.store import RECENT, Card, DueMark, Store

DEFAULT_COUNT = 10
_LEVELS = {level: rank for rank, level in enumerate(Level)}


class Why(enum.Enum):
    """Why a question is in the round."""

    BROUGHT_FORWARD = "brought forward"
    DUE = "due"
    NEW = "new"
    EARLY = "early"
    WEAK = "weak"
    AT_RISK = "may be forgotten by the day"


@dataclass(frozen=True)
class Pick:
    """A question of the round; ``reason`` says which mistake brought it forward."""

    topic: str
    question: Question
    why: Why
    reason: str = ""


@dataclass(frozen=True)
class Filter:
    """What the command line asks for; an empty field admits everything.

    weakest  ask what was answered worst, due or not, and nothing new
    ids      the only questions to ask; None for all
    """

    kinds: frozenset[str] = frozenset()
    levels: frozenset[Level] = frozenset()
    only_due: bool = False
    also_early: bool = False
    weakest: bool = False
    ids: frozenset[str] | None = None
    count: int | None = DEFAULT_COUNT

    def admits(self, question: Question) -> bool:
        if self.ids is not None and question.id not in self.ids:
            return False
        return (not self.kinds or kind_of(question) in self.kinds) and (
            not self.levels or question.level in self.levels
        )


@dataclass(frozen=True)
class History:
    """What is known of the learner: cards and latest answers by question, mistakes named."""

    cards: Mapping[str, Card]
    answers: Answers
    marks: Sequence[DueMark]

    @classmethod
    def of(cls, store: Store, recent: int = RECENT) -> History:
        """The history that a store holds, with the scores of this many answers per question."""
        answers = store.latest(recent)
        return cls(cards_after(store, answers), answers, store.due_marks())


def plan(
    questions: Iterable[tuple[str, Question]], history: History, now: datetime, wanted: Filter
) -> list[Pick]:
    """The round: brought forward first, then due, then new by level, then (if asked) early ones;
    or what was answered worst first.

    questions  topic and question, in the order of the banks
    """
    open_to = [(topic, q) for topic, q in questions if wanted.admits(q)]
    if wanted.weakest:
        answers = history.answers
        known = [each for each in open_to if each[1].id in answers]
        known.sort(key=lambda each: (score(answers[each[1].id]), answers[each[1].id].at))
        return [Pick(topic, q, Why.WEAK) for topic, q in known][: wanted.count]
    picks = brought_forward(open_to, history)
    taken = {pick.question.id for pick in picks}
    rest = [(topic, q) for topic, q in open_to if q.id not in taken]
    seen = [(topic, q) for topic, q in rest if q.id in history.cards]
    seen.sort(key=lambda each: history.cards[each[1].id].due)
    due = [each for each in seen if is_due(history.cards[each[1].id], now)]
    picks += [Pick(topic, q, Why.DUE) for topic, q in due]
    if not wanted.only_due:
        new = [(topic, q) for topic, q in rest if q.id not in history.cards]
        picks += [Pick(topic, q, Why.NEW) for topic, q in by_level(new)]
    if wanted.also_early:
        picks += [Pick(topic, q, Why.EARLY) for topic, q in seen[len(due) :]]
    return picks[: wanted.count]


def brought_forward(questions: Sequence[tuple[str, Question]], history: History) -> list[Pick]:
    """For each mistake that waits, as many questions on its concept as would settle it."""
    picks: dict[str, Pick] = {}
    for mark in history.marks:
        wanted = to_settle(mark, (q for _, q in questions), history.answers)
        waiting = [
            (topic, q)
            for topic, q in questions
            if mark.concept in q.concepts and not answered_since(q, mark, history.answers)
        ]
        for topic, q in _weakest(waiting, history)[:wanted]:
            picks.setdefault(q.id, Pick(topic, q, Why.BROUGHT_FORWARD, mark.reason))
    return list(picks.values())


def _weakest(
    questions: Sequence[tuple[str, Question]], history: History
) -> list[tuple[str, Question]]:
    """Questions never answered first, by level, then those that are due soonest."""
    new = [each for each in questions if each[1].id not in history.cards]
    seen = [each for each in questions if each[1].id in history.cards]
    return by_level(new) + sorted(seen, key=lambda each: history.cards[each[1].id].due)


def by_level(questions: Sequence[tuple[str, Question]]) -> list[tuple[str, Question]]:
    """Easier levels first; within a level the topics alternate, each in the order of its bank."""
    turn: dict[tuple[str, Level], int] = {}
    ranked = []
    for place, (topic, q) in enumerate(questions):
        turn[topic, q.level] = turn.get((topic, q.level), 0) + 1
        ranked.append(((_LEVELS[q.level], turn[topic, q.level], place), (topic, q)))
    return [each for _, each in sorted(ranked, key=lambda item: item[0])]


def draw_seed(base: int, question: str) -> int:
    """The seed of a question's draw in a round with this base seed."""
    return zlib.crc32(f"{base}:{question}".encode())
