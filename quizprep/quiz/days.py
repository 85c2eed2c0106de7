"""Days as the learner lives them: midnight to midnight where the learner is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from quizprep.store import Store


def begins(day: date) -> datetime:
    """The midnight with which a day begins, as an aware time."""
    return datetime.combine(day, time()).astimezone()


def noon(day: date) -> datetime:
    """The middle of a day: an interview is about then."""
    return datetime.combine(day, time(12)).astimezone()


def activity_on(store: Store) -> Callable[[date], int]:
    """How many answers and gradings a day saw."""
    return lambda day: store.activity(begins(day), begins(day + timedelta(days=1)))


def streak(activity: Callable[[date], int], today: date) -> int:
    """How many days in a row had activity, up to today or, while today has none, yesterday."""
    day = today if activity(today) else today - timedelta(days=1)
    length = 0
    while activity(day):
        length += 1
        day -= timedelta(days=1)
    return length


def in_full(day: date) -> str:
    """``Tuesday 24 November``."""
    return f"{day:%A} {day.day} {day:%B}"


def distance(day: date, today: date) -> str:
    """``today``, ``tomorrow``, ``in 12 days``."""
    days = (day - today).days
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
