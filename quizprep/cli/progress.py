"""``quizprep progress``: recall by topic, activity, exercises and their costs, weak spots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from quizprep.cli.charts import MOST_WEEKS, first_day, heatmap, show_recall, weeks_that_fit
from quizprep.cli.options import (
    HELP_NAMES,
    bank_option,
    day_option,
    interview_day,
    library_of,
    plain_option,
)
from quizprep.cli.terminal import Terminal
from quizprep.cli.today import say_next, show_weak
from quizprep.content.library import Library
from quizprep.grading.attempts import Achieved, achieved
from quizprep.meter import Meter
from quizprep.quiz import times
from quizprep.quiz.recall import TopicRecall, overall, recall_by_topic
from quizprep.quiz.selection import History
from quizprep.quiz.weakness import Weakness, concept_title, exercise_for, weaknesses
from quizprep.store import Store
from quizprep.text import counted, json_text

SHOWN = 8
"""How many weak concepts are named."""


@dataclass(frozen=True)
class Progress:
    """Where the learner stands. ``day`` is the one whose recall is shown."""

    today: date
    day: date
    interview: date | None
    topics: Sequence[TopicRecall]
    activity: dict[date, int]
    streak: int
    exercises: Sequence[Achieved]
    weak: Sequence[Weakness]


@click.command(context_settings=HELP_NAMES)
@day_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plain_option
@bank_option
def progress(day: str | None, as_json: bool, plain: bool, bank: Path | None) -> None:
    """Show recall by topic, activity, exercises passed and what they cost, and what is weak.

    Recall is what the scheduler expects on the day of your interview, or today.
    """
    library = library_of(bank)
    terminal = Terminal(plain=plain)
    with Store.open() as store:
        found = _look(store, library, interview_day(store, day))
        if as_json:
            click.echo(json_text(_as_json(library, found)))
        else:
            _show(terminal, library, found)
            say_next(terminal, library, store)


def _look(store: Store, library: Library, interview: date | None) -> Progress:
    today = times.today()
    day = interview or today
    history = History.of(store)
    at = times.noon(day) if day > today else times.now()
    pairs = [(topic, q) for topic, bank in library.banks.items() for q in bank.questions]
    activity = times.activity_on(store)
    begin = first_day(today, MOST_WEEKS)
    days = [begin + timedelta(days=place) for place in range((today - begin).days + 1)]
    return Progress(
        today=today,
        day=day,
        interview=interview,
        topics=recall_by_topic(pairs, history.cards, at),
        activity={each: activity(each) for each in days},
        streak=times.streak(activity, today),
        exercises=achieved(store.attempts()),
        weak=weaknesses([q for _, q in pairs], history.answers, history.marks),
    )


def _show(terminal: Terminal, library: Library, found: Progress) -> None:
    far = times.distance(found.day, found.today)
    terminal.heading(f"Recall expected on {times.in_full(found.day)}, {far}")
    show_recall(terminal, found.topics)
    terminal.heading("Activity")
    if terminal.plain:
        _say_days(terminal, found)
    else:
        weeks = weeks_that_fit(terminal.width)
        lines = heatmap(
            lambda each: found.activity.get(each, 0), found.today, weeks, terminal.draws
        )
        terminal.block("\n".join(lines[:-1]), indent=0)
        terminal.say(lines[-1], "dim")
    days = counted(found.streak, "day")
    terminal.say(f"Streak: {days}." if found.streak else "Streak: none yet.")
    terminal.heading("Exercises")
    _show_exercises(terminal, library, found.exercises)
    if found.weak:
        terminal.heading("Weak, the weakest first")
    tried = {each.exercise: each.passed for each in found.exercises}
    show_weak(terminal, library, found.weak, tried, most=SHOWN)


def _say_days(terminal: Terminal, found: Progress) -> None:
    """The last days with activity, in words: a calendar says nothing to a screen reader."""
    active = [(day, count) for day, count in found.activity.items() if count]
    if not active:
        terminal.say("Nothing yet.")
    for day, count in active[-7:]:
        terminal.say(f"{times.in_full(day)}: {count}")


def _show_exercises(terminal: Terminal, library: Library, exercises: Sequence[Achieved]) -> None:
    passed = [each for each in exercises if each.passed]
    known = library.exercise_ids
    ours = sum(each.exercise in known for each in passed)
    own = f", and {len(passed) - ours} of your own" if ours < len(passed) else ""
    terminal.say(f"{ours} of {len(known)} passed{own}." if known else f"{len(passed)} passed.")
    for each in passed:
        after = ", after its solution was looked at" if each.gave_up else ""
        tries = counted(each.attempts, "grading")
        title = _title(library, each.exercise)
        terminal.say(f"{title}: passed, {tries}{after}", "green", indent=2)
        for meter, formula in each.costs:
            terminal.say(f"{Meter.parse(meter).title} = {formula}", indent=4)
    for each in exercises:
        if not each.passed:
            tries = counted(each.attempts, "grading")
            seen = ", solution looked at" if each.gave_up else ""
            title = _title(library, each.exercise)
            terminal.say(f"{title}: not passed yet, {tries}{seen}", indent=2)


def _title(library: Library, exercise: str) -> str:
    """The title of an exercise; its id where it is no longer there, or is the learner's own."""
    known = exercise in library.exercise_ids
    return library.exercise(exercise).spec.title if known else exercise


def _as_json(library: Library, found: Progress) -> dict[str, Any]:
    return {
        "format": 1,
        "date": found.day.isoformat(),
        "interview": found.interview.isoformat() if found.interview else None,
        "recall": round(overall(found.topics), 4),
        "topics": [
            {
                "topic": each.topic,
                "questions": each.questions,
                "asked": each.asked,
                "recall": round(each.recall, 4),
                "recall_of_asked": None if each.of_asked is None else round(each.of_asked, 4),
            }
            for each in found.topics
        ],
        "streak": found.streak,
        "activity": {day.isoformat(): count for day, count in found.activity.items() if count},
        "exercises": [
            {
                "exercise": each.exercise,
                "passed": each.passed,
                "gradings": each.attempts,
                "gave_up": each.gave_up,
                "costs": [{"meter": meter, "formula": text} for meter, text in each.costs],
            }
            for each in found.exercises
        ],
        "weak": [
            {
                "concept": each.concept,
                "title": concept_title(library, each.concept),
                "score": None if each.score is None else round(each.score, 4),
                "answered": each.answered,
                "mistake": each.mistake or None,
                "exercise": exercise_for(library, each.concept),
            }
            for each in found.weak
        ],
    }
