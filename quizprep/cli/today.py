"""``quizprep`` alone: today on one screen, and what to type next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from quizprep.cli.options import interview_day, library_of
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.errors import StoreError
from quizprep.quiz import times
from quizprep.quiz.scheduling import next_due
from quizprep.quiz.selection import Filter, History, Pick, Why, plan
from quizprep.quiz.weakness import (
    Weakness,
    command_for,
    concept_title,
    next_exercise,
    training_command,
    tried_exercises,
    weaknesses,
)
from quizprep.store import Store
from quizprep.text import counted

SHOWN = 3
"""How many topics and weak concepts are named."""


@dataclass(frozen=True)
class _Standing:
    """What there is to do today.

    due       the questions that are due
    new       how many were never asked
    planned   how many a plan towards the interview asks today; None without an interview
    exercise  the next exercise; None if all were passed
    tried     the exercises that were graded, or whose solution was shown; whether they were passed
    """

    history: History
    due: Sequence[Pick]
    new: int
    interview: date | None
    planned: int | None
    exercise: Exercise | None
    tried: Mapping[str, bool]

    @property
    def command(self) -> str:
        """What to type next: what is planned or due, then new questions, then the exercise."""
        if self.planned:
            return "quizprep ask"
        if self.due:
            return "quizprep ask --due"
        if self.new and self.planned is None:
            return "quizprep ask"
        if self.exercise is not None:
            return training_command(self.exercise.id, self.exercise.id in self.tried)
        return "quizprep ask --all"


def _look(library: Library, store: Store) -> _Standing:
    questions = [(topic, q) for topic, bank in library.banks.items() for q in bank.questions]
    history = History.of(store)
    attempts = store.attempts()
    interview = interview_day(store)
    planned = None
    if interview is not None:
        from quizprep.quiz.recall import planned_today

        planned = len(planned_today(store, interview, questions, history, Filter()))
    return _Standing(
        history=history,
        due=plan(questions, history, times.now(), Filter(only_due=True, count=None)),
        new=sum(q.id not in history.answers for _, q in questions),
        interview=interview,
        planned=planned,
        exercise=next_exercise(library, attempts),
        tried=tried_exercises(attempts),
    )


def show_today() -> None:
    """Print what is due, what is weak and the next exercise, then the one command to type next."""
    library = library_of(None)
    terminal = Terminal()
    now, day = times.now(), times.today()
    with Store.open() as store:
        found = _look(library, store)
        left = _interview_left(store)
        activity = times.activity_on(store)
        streak, active = times.streak(activity, day), activity(day) > 0
    history = found.history
    every = [q for bank in library.banks.values() for q in bank.questions]
    weak = weaknesses(every, history.answers, history.marks)
    begun = bool(history.answers or found.tried)

    terminal.heading(times.in_full(day))
    if not begun:
        terminal.say("Questions, kernels and sheets about attention: quizprep --help lists all.")
    if found.interview is not None:
        far = times.distance(found.interview, day)
        terminal.say(f"Interview: {times.in_full(found.interview)}, {far}.")
        planned = counted(found.planned or 0, "question")
        terminal.say(f"Planned for today: {planned}." if found.planned else "Today's plan is done.")
    terminal.say(_due_line(found.due, found.new))
    why = (pick.reason for pick in found.due if pick.why is Why.BROUGHT_FORWARD)
    if brought := next(why, ""):
        terminal.say(f"Brought forward: {brought}", "yellow", indent=2)
    if left:
        terminal.say(left)
    if weak:
        terminal.say("Weak:")
    show_weak(terminal, library, weak, found.tried, most=SHOWN, more=": quizprep progress")
    terminal.say(_exercise_line(found.exercise, found.tried))
    if found.exercise is not None:
        begun_it = found.exercise.id in found.tried
        terminal.say(training_command(found.exercise.id, begun_it), "dim", indent=2)
    if begun:
        terminal.say(f"Streak: {_streak_words(streak, active)}")
    first = next_due(history.cards.values())
    if first is not None and not found.due:
        terminal.say(f"The next question is due {times.in_words(first, now)}.", "dim")
    _say_command(terminal, found)


def say_next(terminal: Terminal, library: Library, store: Store) -> None:
    """Print the one command to type next; not for own content, which it would not name."""
    if library.root == shipped_root():
        _say_command(terminal, _look(library, store))


def _say_command(terminal: Terminal, found: _Standing) -> None:
    terminal.say()
    terminal.say(f"Type next:  {found.command}", "bold")


def _interview_left(store: Store) -> str:
    """The sentence about an interview that was not finished; empty if there is none."""
    if store.last_interview() is None:
        return ""
    from quizprep.quiz.interview import unfinished

    try:
        log = unfinished(store)
    except StoreError:
        log = None  # `quizprep mock` says what to do
    if log is None:
        return ""
    used = round(log.seconds / 60)
    return f"An interview is unfinished, {used} of {log.interview.minutes} minutes: quizprep mock"


def show_weak(
    terminal: Terminal,
    library: Library,
    weak: Sequence[Weakness],
    tried: Mapping[str, bool],
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
        if command := command_for(library, weakness.concept, tried):
            terminal.say(command, "dim", indent=4)
    if len(weak) > most:
        terminal.say(f"and {len(weak) - most} more{more}", "dim", indent=2)


def _due_line(due: Sequence[Pick], new: int) -> str:
    unasked = f"{counted(new, 'question')} not asked yet." if new else ""
    if not due:
        return f"Due: nothing. {unasked}".rstrip()
    topics = Counter(pick.topic for pick in due).most_common()
    named = ", ".join(f"{topic} {count}" for topic, count in topics[:SHOWN])
    rest = [count for _, count in topics[SHOWN:]]
    more = f" and {sum(rest)} more in {counted(len(rest), 'topic')}" if rest else ""
    return f"Due: {counted(len(due), 'question')} ({named}{more}). {unasked}".rstrip()


def _exercise_line(exercise: Exercise | None, tried: Collection[str]) -> str:
    if exercise is None:
        return "Exercises: all passed."
    spec = exercise.spec
    begun = ", begun" if exercise.id in tried else ""
    return f"Next exercise: {spec.title} ({spec.level}, {spec.minutes} min{begun})"


def _streak_words(streak: int, active: bool) -> str:
    if not streak:
        return "none yet; one answer begins it."
    days = counted(streak, "day")
    return f"{days}." if active else f"{days}; answer one today to keep it."
