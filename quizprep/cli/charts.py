"""Charts in text: expected recall as bars, activity as a calendar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from quizprep.cli.terminal import Terminal
from quizprep.quiz.recall import TopicRecall, overall

_BAR = 10

MOST_WEEKS = 26
_LEVELS = (1, 5, 10, 20)
"""From how many answers on a day takes the next shade."""
_SHADES = "·░▒▓█"
_SIGNS = ".-+*#"
_LABEL = 4
_ROWS = ("Mon", "", "Wed", "", "Fri", "", "Sun")


def weeks_that_fit(width: int) -> int:
    """How many weeks of the calendar fit into a width."""
    return max(1, min(MOST_WEEKS, (width - _LABEL) // 2))


def first_day(today: date, weeks: int) -> date:
    """The Monday on which a calendar of this many weeks begins; its last week holds today."""
    return today - timedelta(days=today.weekday(), weeks=weeks - 1)


def heatmap(activity: Callable[[date], int], today: date, weeks: int, shades: bool) -> list[str]:
    """The lines of the calendar: a row of month names, seven weekdays, and a legend."""
    signs = _SHADES if shades else _SIGNS
    mondays = [first_day(today, weeks) + timedelta(weeks=week) for week in range(weeks)]
    lines = [_months(mondays)]
    for weekday, label in enumerate(_ROWS):
        days = [monday + timedelta(days=weekday) for monday in mondays]
        cells = [signs[_level(activity(day))] if day <= today else " " for day in days]
        lines.append(f"{label:<{_LABEL}}{' '.join(cells)}".rstrip())
    steps = [f"{sign} {least}+" for sign, least in zip(signs[1:], _LEVELS, strict=True)]
    lines.append(f"{'':<{_LABEL}}{signs[0]} none  {'  '.join(steps)} answers and gradings")
    return lines


def _months(mondays: Sequence[date]) -> str:
    """The name of a month over the first week that begins in it, where there is room."""
    line = " " * _LABEL
    for column, monday in enumerate(mondays):
        begins = column == 0 or monday.month != mondays[column - 1].month
        place = _LABEL + 2 * column
        if begins and (len(line.rstrip()) < place or column == 0):
            line = f"{line:<{place}}{monday:%b}"
    return line


def _level(count: int) -> int:
    return sum(count >= least for least in _LEVELS)


def show_recall(
    terminal: Terminal, topics: Sequence[TopicRecall], before: Sequence[TopicRecall] = ()
) -> None:
    """Print a line for each topic: a bar, the expected recall, how many questions were asked.

    before  the same topics before the round; where recall changed, its old value is printed
            instead of the count
    """
    widest = max((len(each.topic) for each in topics), default=0)
    bars = terminal.width - 2 - widest - 24 >= _BAR and not terminal.plain
    for place, each in enumerate(topics):
        bar = f"{_bar(each.recall, terminal.draws)} " if bars else ""
        said = f"{each.asked} of {each.questions} asked"
        if before and _percent(before[place].recall) != _percent(each.recall):
            said = f"was {_percent(before[place].recall)}"
        line = f"{each.topic:<{widest}}  {bar}{_percent(each.recall):>4}  {said}"
        terminal.block(line, indent=0)
    if len(topics) > 1:
        terminal.say(f"All topics: {_percent(overall(topics))}.")
    if any(each.asked < each.questions for each in topics):
        terminal.say("A question that was never asked counts 0.", "dim")


def _percent(share: float) -> str:
    return f"{round(100 * share)}%"


def _bar(share: float, draws: bool) -> str:
    full = round(_BAR * share)
    return ("█" if draws else "#") * full + ("░" if draws else ".") * (_BAR - full)
