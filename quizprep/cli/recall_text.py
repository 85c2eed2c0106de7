"""Expected recall, a line a topic."""

from __future__ import annotations

from collections.abc import Sequence

from quizprep.cli.terminal import Terminal
from quizprep.quiz.recall import TopicRecall, overall

_BAR = 10


def show_recall(
    terminal: Terminal, topics: Sequence[TopicRecall], before: Sequence[TopicRecall] = ()
) -> None:
    """A line for each topic: a bar, the expected recall, how much of it was asked.

    before  the same topics as they were earlier; what changed is said instead of the counts
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
