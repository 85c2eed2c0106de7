"""What time it is: the one place where commands read a clock, and the seam for tests."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The day where the learner is."""
    return now().astimezone().date()


def seconds() -> float:
    """A clock that only runs forward, for how long things take."""
    return time.monotonic()
