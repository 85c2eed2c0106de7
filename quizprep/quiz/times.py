"""Times and days for a learner, whose day begins at four in the morning where the learner is:
what is answered after midnight belongs to the evening before.

``now`` and ``seconds`` are the only places where a clock is read; tests replace them.
"""

from __future__ import annotations

import time as stopwatch
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from quizprep.store import Store
from quizprep.text import counted

DAY_BEGINS = time(4)


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The learner's day."""
    return day_of(now())


def day_of(moment: datetime) -> date:
    """The learner's day that a moment belongs to."""
    return (moment.astimezone() - timedelta(hours=DAY_BEGINS.hour)).date()


def seconds() -> float:
    """A monotonic clock, for measuring how long things take."""
    return stopwatch.monotonic()


def begins(day: date) -> datetime:
    """The moment at which a day of the learner begins, as an aware time."""
    return datetime.combine(day, DAY_BEGINS).astimezone()


def noon(day: date) -> datetime:
    """The middle of a day; an interview is assumed to be then."""
    return datetime.combine(day, time(12)).astimezone()


def activity_on(store: Store) -> Callable[[date], int]:
    """A function that counts the answers and gradings of a day."""
    return lambda day: store.activity(begins(day), begins(day + timedelta(days=1)))


def streak(activity: Callable[[date], int], last: date) -> int:
    """The number of consecutive days with activity up to the last day, which may itself still be
    without."""
    day = last if activity(last) else last - timedelta(days=1)
    length = 0
    while activity(day):
        length += 1
        day -= timedelta(days=1)
    return length


def in_full(day: date) -> str:
    """A date in words: ``Tuesday 24 November``."""
    return f"{day:%A} {day.day} {day:%B}"


def distance(day: date, start: date) -> str:
    """The distance from one day to a later one: ``today``, ``tomorrow``, ``in 12 days``."""
    days = (day - start).days
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")


def in_words(due: datetime, now: datetime) -> str:
    """The time left: ``now``, ``in 10 minutes``, ``tomorrow``, ``in 5 days``, ``in 4 months``."""
    seconds = (due - now).total_seconds()
    if seconds <= 0:
        return "now"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"in {counted(max(1, minutes), 'minute')}"
    days = (day_of(due) - day_of(now)).days
    if days == 0:
        return f"in {counted(round(seconds / 3600), 'hour')}"
    if days == 1:
        return "tomorrow"
    if days < 21:
        return f"in {days} days"
    return f"in {round(days / 7)} weeks" if days < 70 else f"in {round(days / 30)} months"
