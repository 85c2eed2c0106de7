"""Expected recall of each topic on a day, and what to ask today to increase it.

A round that plans towards a day asks:

- questions on a mistake that was named;
- then, in turns, questions whose predicted recall on the day is below 90%, the lowest first, and
  new questions, an equal share each day until then.

What was answered today is not asked again, unless it was missed and is due. The share of new
questions is their number, with those that were new today, divided by the days left; today counts,
the day itself does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from quizprep.content.questions import Question
from quizprep.quiz import times
from quizprep.quiz.scheduling import is_due, retrievability
from quizprep.quiz.selection import Filter, History, Pick, Why, brought_forward, by_level
from quizprep.store import Card, Store

TARGET = 0.9
"""Recall on the day that needs no work; what the scheduler aims at, too."""


@dataclass(frozen=True)
class TopicRecall:
    """The expected recall of a topic on a day.

    recall    the mean probability of recall over all questions; 0 for those never asked
    asked     how many of its questions were answered
    of_asked  the mean over these
    """

    topic: str
    questions: int
    asked: int
    recall: float
    of_asked: float | None


@dataclass(frozen=True)
class Day:
    """The facts that a plan towards a day needs.

    at         the time at which recall counts
    days_left  how many days there are for new questions, today included; at least 1
    begin      when today began
    new_today  how many questions were answered for the first time today
    """

    at: datetime
    days_left: int
    begin: datetime
    new_today: int


def planned_today(
    store: Store,
    day: date,
    questions: Iterable[tuple[str, Question]],
    history: History,
    wanted: Filter,
) -> list[Pick]:
    """Everything to ask today in a plan towards a day."""
    today, now = times.today(), times.now()
    begin = times.begins(today)
    facts = Day(
        at=max(times.noon(day), now),
        days_left=max(1, (day - today).days),
        begin=begin,
        new_today=store.first_answers(begin),
    )
    return plan_towards(facts, questions, history, now, wanted)


def recall_by_topic(
    questions: Iterable[tuple[str, Question]], cards: Mapping[str, Card], at: datetime
) -> list[TopicRecall]:
    """The expected recall of every topic, in the order of the questions."""
    chances: dict[str, list[float | None]] = {}
    for topic, question in questions:
        card = cards.get(question.id)
        chance = None if card is None else retrievability(card, at)
        chances.setdefault(topic, []).append(chance)
    return [_summed(topic, each) for topic, each in chances.items()]


def overall(topics: Sequence[TopicRecall]) -> float:
    """The expected recall over all questions of some topics; 0 if there are none."""
    total = sum(topic.questions for topic in topics)
    return sum(topic.recall * topic.questions for topic in topics) / total if total else 0.0


def _summed(topic: str, chances: Sequence[float | None]) -> TopicRecall:
    known = [chance for chance in chances if chance is not None]
    return TopicRecall(
        topic=topic,
        questions=len(chances),
        asked=len(known),
        recall=sum(known) / len(chances),
        of_asked=sum(known) / len(known) if known else None,
    )


def plan_towards(
    day: Day,
    questions: Iterable[tuple[str, Question]],
    history: History,
    now: datetime,
    wanted: Filter,
) -> list[Pick]:
    """Everything to ask today, in order, by the rule above.

    It is not cut to ``wanted.count``, so that the caller can say how many there are.
    """
    open_to = [(topic, q) for topic, q in questions if wanted.admits(q)]
    picks = brought_forward(open_to, history)
    taken = {pick.question.id for pick in picks}
    rest = [(topic, q) for topic, q in open_to if q.id not in taken]
    new = by_level([(topic, q) for topic, q in rest if q.id not in history.cards])
    share = math.ceil((len(new) + day.new_today) / day.days_left) - day.new_today
    turns = [
        [Pick(topic, q, Why.AT_RISK) for topic, q in _at_risk(day, rest, history, now)],
        [Pick(topic, q, Why.NEW) for topic, q in new[: max(0, share)]],
    ]
    return picks + list(_in_turns(turns))


def _at_risk(
    day: Day, questions: Iterable[tuple[str, Question]], history: History, now: datetime
) -> list[tuple[str, Question]]:
    found: list[tuple[float, tuple[str, Question]]] = []
    for topic, q in questions:
        card = history.cards.get(q.id)
        if card is None:
            continue
        today = history.answers[q.id].at >= day.begin
        recall = retrievability(card, day.at)
        if is_due(card, now) if today else recall < TARGET:
            found.append((recall, (topic, q)))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _in_turns(rows: Sequence[Sequence[Pick]]) -> Iterator[Pick]:
    for place in range(max(map(len, rows))):
        yield from (row[place] for row in rows if place < len(row))
