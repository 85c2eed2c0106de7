"""Times in words."""

from __future__ import annotations

from datetime import datetime

from quizprep.text import counted


def in_words(due: datetime, now: datetime) -> str:
    """``now``, ``in 10 minutes``, ``tomorrow``, ``in 5 days``, ``in 3 weeks``, ``in 4 months``."""
    seconds = (due - now).total_seconds()
    if seconds <= 0:
        return "now"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"in {counted(max(1, minutes), 'minute')}"
    hours = round(seconds / 3600)
    if hours < 20:
        return f"in {counted(hours, 'hour')}"
    days = max(1, round(seconds / 86400))
    if days == 1:
        return "tomorrow"
    if days < 21:
        return f"in {days} days"
    return f"in {round(days / 7)} weeks" if days < 70 else f"in {round(days / 30)} months"
