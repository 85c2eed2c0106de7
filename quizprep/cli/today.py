"""``quizprep`` alone: today on one screen, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from quizprep.cli.options import interview_day, library_of
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Exercise, Library, path_order
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
from quizprep.store import Store
from quizprep.text import counted

SHOWN = 3
"""How many topics and weak concepts are named."""


def show_today() -> None:
    """Print what is due, what is weak and the next exercise, then the one command to type next."""
    library = library_of(None)
    terminal = Terminal()
    questions = [(topic, q) for topic, bank in library.banks.items() for q in bank.questions]
    now, day = times.now(), times.today()
    with Store.open() as store:
        history = History.of(store)
        attempts = store.attempts()
        interview = interview_day(store)
        activity = times.activity_on(store)
        streak, active = times.streak(activity, day), activity(day) > 0
    due = plan(questions, history, now, Filter(only_due=True, count=None))
    new = sum(q.id not in history.answers for _, q in questions)
    weak = weaknesses([q for _, q in questions], history.answers, history.marks)
    tried = {attempt.exercise for attempt in attempts}
    passed = {attempt.exercise for attempt in attempts if attempt.passed}
    path = path_order(library.exercises)
    exercise = next((each for each in path if each.id not in passed), None)
    begun = bool(history.answers or attempts)

    terminal.heading(times.in_full(day))
    if not begun:
        terminal.say("Questions, kernels and sheets about attention: quizprep --help lists all.")
    if interview is not None:
        far = times.distance(interview, day)
        terminal.say(f"Interview: {times.in_full(interview)}, {far}.")
    terminal.say(_due_line(due, new))
    if brought := next((pick.reason for pick in due if pick.why is Why.BROUGHT_FORWARD), ""):
        terminal.say(f"Brought forward: {brought}", "yellow", indent=2)
    if weak:
        terminal.say("Weak:")
    show_weak(terminal, library, weak, tried, most=SHOWN, more=": quizprep progress")
    terminal.say(_exercise_line(exercise, tried))
    if begun:
        terminal.say(f"Streak: {_streak_words(streak, active)}")
    first = next_due(history.cards.values())
    if first is not None and not due:
        terminal.say(f"The next question is due {times.in_words(first, now)}.", "dim")
    terminal.say()
    terminal.say(f"Type next:  {_next_command(due, new, exercise, tried)}", "bold")


def _next_command(
    due: Sequence[Pick], new: int, exercise: Exercise | None, tried: Collection[str]
) -> str:
    """Due questions come first, then new ones, then the next exercise."""
    if due:
        return "quizprep ask --due"
    if new:
        return "quizprep ask"
    if exercise is not None:
        return training_command(exercise.id, exercise.id in tried)
    return "quizprep ask --all"


def show_weak(
    terminal: Terminal,
    library: Library,
    weak: Sequence[Weakness],
    tried: Collection[str],
    most: int,
    more: str = "",
) -> None:
    """Print weak concepts, how weak each is, and what trains it: an exercise or a topic.

    more  a text after the number of concepts that are left out
    """
    for weakness in weak[:most]:
        percent = f"{round(100 * (weakness.score or 0))}%"
        share = "mistake in an exercise" if weakness.mistake else percent
        terminal.say(f"- {concept_title(library, weakness.concept)} ({share})", indent=2)
        exercise = exercise_for(library, weakness.concept)
        if exercise:
            terminal.say(training_command(exercise, exercise in tried), "dim", indent=4)
        elif (known := library.concepts.get(weakness.concept)) and known.topic in library.topics:
            terminal.say(f"quizprep ask {known.topic}", "dim", indent=4)
    if len(weak) > most:
        terminal.say(f"and {len(weak) - most} more{more}", "dim", indent=2)


def _due_line(due: Sequence[Pick], new: int) -> str:
    unasked = f"{counted(new, 'question')} not asked yet." if new else ""
    if not due:
        return f"Due: nothing. {unasked}".rstrip()
    topics = Counter(pick.topic for pick in due).most_common()
    named = ", ".join(f"{topic} {count}" for topic, count in topics[:SHOWN])
    more = f" and {len(topics) - SHOWN} more" if len(topics) > SHOWN else ""
    return f"Due: {counted(len(due), 'question')} ({named}{more}). {unasked}".rstrip()


def _exercise_line(exercise: Exercise | None, tried: Collection[str]) -> str:
    if exercise is None:
        return "Exercises: all passed."
    spec = exercise.spec
    begun = ", begun" if exercise.id in tried else ""
    return f"Next exercise: {exercise.id}, {spec.title} ({spec.level}, {spec.minutes} min{begun})"


def _streak_words(streak: int, active: bool) -> str:
    if not streak:
        return "none yet; one answer begins it."
    days = counted(streak, "day")
    return f"{days}." if active else f"{days}; answer one today to keep it."
