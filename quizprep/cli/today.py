"""``quizprep`` alone: today in one screen, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from quizprep.cli.options import interview_day, library_of
from quizprep.cli.terminal import Terminal
from quizprep.content.curriculum import path_order
from quizprep.content.library import Exercise, Library
from quizprep.content.questions import Question
from quizprep.quiz import times
from quizprep.quiz.scheduling import next_due
from quizprep.quiz.selection import Filter, History, Pick, Why, plan
from quizprep.quiz.weakness import (
    Weakness,
    concept_title,
    exercise_for,
    training_command,
    weaknesses,
)
from quizprep.store import Attempt, Store
from quizprep.text import counted

SHOWN = 3
"""How many topics and weak concepts are named."""


@dataclass(frozen=True)
class Today:
    """What there is to do.

    due     brought forward first, then what is due
    new     how many questions were never asked
    streak  days in a row, today counted once something was done
    """

    day: date
    due: Sequence[Pick]
    new: int
    weak: Sequence[Weakness]
    next_exercise: Exercise | None
    streak: int
    active: bool
    interview: date | None
    begun: bool


def show_today() -> None:
    """Print it."""
    library = library_of(None)
    terminal = Terminal()
    with Store.open() as store:
        questions = [(topic, q) for topic, bank in library.banks.items() for q in bank.questions]
        history = History.of(store)
        attempts = store.attempts()
        today = _look(store, library, questions, history, attempts)
        _show(terminal, library, today, {attempt.exercise for attempt in attempts})
        if today.begun and not today.due:
            first = next_due(card for card in history.cards.values())
            if first is not None:
                terminal.say(
                    f"The next question is due {times.in_words(first, times.now())}.", "dim"
                )
    terminal.say()
    terminal.say(f"Type next:  {next_command(today)}", "bold")


def _look(
    store: Store,
    library: Library,
    questions: Sequence[tuple[str, Question]],
    history: History,
    attempts: Sequence[Attempt],
) -> Today:
    day = times.today()
    activity = times.activity_on(store)
    passed = {attempt.exercise for attempt in attempts if attempt.passed}
    path = path_order(library.exercises)
    return Today(
        day=day,
        due=plan(questions, history, times.now(), Filter(only_due=True, count=None)),
        new=sum(q.id not in history.answers for _, q in questions),
        weak=weaknesses([q for _, q in questions], history.answers, history.marks),
        next_exercise=next((each for each in path if each.id not in passed), None),
        streak=times.streak(activity, day),
        active=activity(day) > 0,
        interview=interview_day(store),
        begun=bool(history.answers or attempts),
    )


def next_command(today: Today) -> str:
    """The one thing to type next: what is due, then new questions, then the next exercise."""
    if today.due:
        return "quizprep ask --due"
    if today.new:
        return "quizprep ask"
    if today.next_exercise is not None:
        return f"quizprep start {today.next_exercise.id}"
    return "quizprep ask --all"


def _show(terminal: Terminal, library: Library, today: Today, tried: set[str]) -> None:
    terminal.heading(times.in_full(today.day))
    if not today.begun:
        terminal.say("Questions, kernels and sheets about attention: quizprep --help lists all.")
    if today.interview is not None:
        far = times.distance(today.interview, today.day)
        terminal.say(f"Interview: {times.in_full(today.interview)}, {far}.")
    terminal.say(_due_line(today))
    brought = next((p.reason for p in today.due if p.why is Why.BROUGHT_FORWARD), "")
    if brought:
        terminal.say(f"Brought forward: {brought}", "yellow", indent=2)
    if today.weak:
        terminal.say("Weak:")
    for weakness in today.weak[:SHOWN]:
        show_weakness(terminal, library, weakness, tried)
    if len(today.weak) > SHOWN:
        terminal.say(f"and {len(today.weak) - SHOWN} more: quizprep progress", "dim", indent=2)
    terminal.say(_exercise_line(today, tried))
    if today.begun:
        terminal.say(f"Streak: {_streak_words(today)}")


def show_weakness(
    terminal: Terminal, library: Library, weakness: Weakness, tried: set[str]
) -> None:
    """A weak concept, how weak, and what trains it: an exercise, or the topic that asks."""
    share = (
        "mistake in an exercise" if weakness.mistake else f"{round(100 * (weakness.score or 0))}%"
    )
    terminal.say(f"- {concept_title(library, weakness.concept)} ({share})", indent=2)
    exercise = exercise_for(library, weakness.concept)
    if exercise:
        terminal.say(training_command(exercise, exercise in tried), "dim", indent=4)
    elif (known := library.concepts.get(weakness.concept)) and known.topic in library.topics:
        terminal.say(f"quizprep ask {known.topic}", "dim", indent=4)


def _due_line(today: Today) -> str:
    new = f"{counted(today.new, 'question')} not asked yet." if today.new else ""
    if not today.due:
        return f"Due: nothing. {new}".rstrip()
    topics = Counter(pick.topic for pick in today.due).most_common()
    named = ", ".join(f"{topic} {count}" for topic, count in topics[:SHOWN])
    more = f" and {len(topics) - SHOWN} more" if len(topics) > SHOWN else ""
    return f"Due: {counted(len(today.due), 'question')} ({named}{more}). {new}".rstrip()


def _exercise_line(today: Today, tried: set[str]) -> str:
    exercise = today.next_exercise
    if exercise is None:
        return "Exercises: all passed."
    spec = exercise.spec
    begun = ", begun" if exercise.id in tried else ""
    return f"Next exercise: {exercise.id}, {spec.title} ({spec.level}, {spec.minutes} min{begun})"


def _streak_words(today: Today) -> str:
    if not today.streak:
        return "none yet; one answer begins it."
    days = counted(today.streak, "day")
    return f"{days}." if today.active else f"{days}; answer one today to keep it."
