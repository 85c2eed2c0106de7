"""The day of the interview: read from the command line, and remembered."""

from __future__ import annotations

from datetime import date

from quizprep.cli import clock
from quizprep.errors import UsageError
from quizprep.store import Store

_SETTING = "interview"
FORGET = "none"
HELP = "The day of your interview, YYYY-MM-DD; remembered until 'none' is given."


def interview_day(store: Store, given: str | None) -> date | None:
    """The day to plan towards: the one given, which is then remembered, or the one remembered.

    ``none`` forgets it. None where there is none, or where it has passed.
    """
    today = clock.today()
    if given is None:
        return remembered_day(store, today)
    if given.strip().casefold() == FORGET:
        store.set_setting(_SETTING, "", clock.now())
        return None
    day = _read(given)
    if day < today:
        raise UsageError(
            f"{day} has passed; today is {today}.", hint="Give a day that is still to come."
        )
    if store.setting(_SETTING) != day.isoformat():
        store.set_setting(_SETTING, day.isoformat(), clock.now())
    return day


def remembered_day(store: Store, today: date) -> date | None:
    """The day that was remembered, unless it has passed."""
    text = store.setting(_SETTING)
    day = date.fromisoformat(text) if text else None
    return day if day is not None and day >= today else None


def _read(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a day.", hint=f"Write YYYY-MM-DD, such as {clock.today()}, or none."
        ) from error
