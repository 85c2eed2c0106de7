"""An interview as a log of steps: what comes next depends on the log alone.

So an interview that was interrupted, in whatever way, continues after its last step. It opens with
a spoken question on each of a few topics; each is followed up by what was missed. A number and a
kernel come last, if there is time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from quizprep.content.library import Exercise, Library
from quizprep.content.questions import KeyPoint, Level, Number, Open, Question
from quizprep.errors import StoreError, UsageError
from quizprep.quiz import times
from quizprep.quiz.marking import Invalid, mark, match_open
from quizprep.quiz.marking.words import read_words
from quizprep.quiz.presented import Presented, present
from quizprep.quiz.scheduling import record
from quizprep.quiz.selection import draw_seed
from quizprep.store import Interview, Review, Store

MINUTES = 45
PER_OPENING = 5
"""Minutes for a spoken question and its follow-up."""
PER_NUMBER = 3
MOST_OPENINGS = 4

Role = Literal["opening", "follow-up", "number"]
TITLES = {
    "opening": "Question",
    "follow-up": "Follow-up",
    "number": "A number",
    "kernel": "A kernel",
}
Questions = Mapping[str, tuple[str, Question]]
"""Every question by id, with its topic."""


class Begun(msgspec.Struct, frozen=True, tag="begun", tag_field="step"):
    """What was chosen at the start: ids of questions, and of an exercise if there is one."""

    openings: tuple[str, ...]
    number: str | None
    exercise: str | None


class Asked(msgspec.Struct, frozen=True, tag="asked", tag_field="step"):
    """A question that was answered or skipped; ``missing`` are the ids of the points left out.

    review  the id of the answer; None if the question was skipped
    """

    question: str
    role: Role
    review: int | None
    missing: tuple[str, ...] = ()


class Coded(msgspec.Struct, frozen=True, tag="coded", tag_field="step"):
    """The kernel: whether it passed, or why there was none."""

    exercise: str
    passed: bool
    skipped: str = ""
    mistakes: tuple[str, ...] = ()
    """The sentences of the mistakes that were named."""


class Paused(msgspec.Struct, frozen=True, tag="paused", tag_field="step"):
    """The learner left; the seconds until then count."""


class Ended(msgspec.Struct, frozen=True, tag="ended", tag_field="step"):
    """The debrief was shown."""


Step = Begun | Asked | Coded | Paused | Ended


def write(step: Step) -> str:
    """A step as text for the store."""
    return msgspec.json.encode(step).decode()


def read(text: str) -> Step:
    """The step in a text that ``write`` wrote; raises ValueError for any other text."""
    step: Step = msgspec.json.decode(text, type=Step)
    return step


@dataclass
class Log:
    """An interview under way: its steps so far, and the seconds they took."""

    interview: Interview
    steps: list[Step]
    seconds: float

    @property
    def ended(self) -> bool:
        """Whether its debrief was shown."""
        return isinstance(self.steps[-1], Ended)

    @property
    def left(self) -> float:
        """The seconds that are left of those that were agreed; negative beyond them."""
        return self.interview.minutes * 60 - self.seconds


def latest(store: Store) -> Log | None:
    """The log of the latest interview; None if there was none; raises StoreError if it is
    unreadable."""
    interview = store.last_interview()
    return None if interview is None else read_log(store, interview)


def unfinished(store: Store) -> Log | None:
    """The log of the latest interview if it has no end; raises StoreError if it is unreadable."""
    log = latest(store)
    return None if log is None or log.ended else log


def read_log(store: Store, interview: Interview) -> Log:
    """The log of an interview as it is stored; raises StoreError if it is unreadable."""
    rows = store.steps(interview)
    try:
        steps = [read(row.step) for row in rows]
        if not steps or not isinstance(steps[0], Begun):
            raise ValueError("its beginning is lost")
    except ValueError as error:
        raise StoreError(
            f"The interview of {interview.at:%Y-%m-%d} in {store.path} cannot be read: {error}.",
            hint="Begin another: quizprep mock --new",
        ) from error
    return Log(interview, steps, sum(row.seconds for row in rows))


def begin(
    store: Store, library: Library, level: Level | None, minutes: int, seed: int | None = None
) -> Log:
    """Store a new interview; raises UsageError if there is no question to open it with."""
    seed = int.from_bytes(os.urandom(4)) >> 1 if seed is None else seed
    begun = choose(library.questions, library.exercises, level, minutes, seed)
    if not begun.openings:
        raise UsageError(
            "There is no spoken question to open with.",
            hint="Leave out --level, or name another folder with --bank.",
        )
    interview = store.begin_interview(
        seed, level or "", minutes, os.urandom(6).hex(), times.now(), write(begun)
    )
    return Log(interview, [begun], 0.0)


def keep(store: Store, log: Log, step: Step, seconds: float) -> None:
    """Store a step and the seconds that it took."""
    store.add_step(log.interview, seconds, write(step), times.now())
    log.steps.append(step)
    log.seconds += seconds


def put(log: Log, library: Library, part: Part) -> Presented:
    """The question of a part, always with the same numbers within one interview."""
    topic, question = library.questions[part.id]
    return present(topic, question, draw_seed(log.interview.seed, question.id))


def skipped(part: Part, presented: Presented) -> Asked:
    """The step of a question that was skipped; no answer is stored."""
    assert part.role != "kernel"
    return Asked(part.id, part.role, None, _missing(presented, ""))


def answered_before(store: Store, log: Log, part: Part, presented: Presented) -> Asked | None:
    """The step of a question whose answer is stored while its step is not: a kill came between,
    or it was answered in another window."""
    assert part.role != "kernel"
    reviews: list[Review] = store.reviews(part.id)
    found = next((each for each in reviews if each.session == log.interview.session), None)
    if found is None:
        return None
    return Asked(part.id, part.role, found.id, _missing(presented, found.reply))


def answer(
    store: Store, log: Log, part: Part, presented: Presented, reply: str, seconds: float | None
) -> Asked | Invalid:
    """Mark a reply and store it once. The step is for ``keep``.

    seconds  how long the reply took; None if that says nothing
    """
    if (before := answered_before(store, log, part, presented)) is not None:
        return before
    result = mark(presented.question, presented.values, reply, presented.shown or None)
    if isinstance(result, Invalid):
        return result
    session = log.interview.session
    review = record(store, presented, reply, result, times.now(), seconds, session)
    assert part.role != "kernel"
    return Asked(part.id, part.role, review.id, _missing(presented, reply))


def _missing(presented: Presented, reply: str) -> tuple[str, ...]:
    """The ids of the points that a spoken answer leaves out."""
    if not isinstance(presented.question, Open):
        return ()
    return tuple(point.id for point in match_open(presented.question, reply).missing)


def kernel_task(exercise: Exercise) -> str:
    """The task, without the questions that an interviewer asks afterwards."""
    return exercise.text("README.md").partition("## What an interviewer asks")[0].strip()


def kernel_file(store: Store, exercise: Exercise, interview: Interview) -> Path:
    """The learner's file of an exercise in this interview, copied from the starter the first
    time; raises StoreError."""
    path = store.path.parent / "mock" / str(interview.id) / f"{exercise.id}.py"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(exercise.text("starter.py"), encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    return path


@dataclass(frozen=True)
class Part:
    """What comes next: a question in its role, or a kernel."""

    role: Role | Literal["kernel"]
    id: str


def choose(
    questions: Questions,
    exercises: Iterable[Exercise],
    level: Level | None,
    minutes: int,
    seed: int,
) -> Begun:
    """What an interview of this length and level asks; the same seed chooses the same.

    The kernel takes at most half of the time. The rest goes to spoken questions on different
    topics, and to a number, on another topic if possible.
    """
    dice = random.Random(f"mock:{seed}")
    fitting = {q: pair for q, pair in questions.items() if level in (None, pair[1].level)}
    half = [e for e in exercises if e.spec.minutes <= minutes / 2]
    kernels = [e for e in half if level in (None, e.spec.level)] or half
    kernel = dice.choice(sorted(kernels, key=lambda e: e.id)) if kernels else None
    talk = minutes - PER_NUMBER - (kernel.spec.minutes if kernel else 0)
    wanted = max(1, min(MOST_OPENINGS, talk // PER_OPENING))
    openings = _one_a_topic(fitting, Open, dice)[:wanted]
    spoken = {questions[name][0] for name in openings}
    numbers = _one_a_topic(fitting, Number, dice)
    elsewhere = [name for name in numbers if questions[name][0] not in spoken]
    return Begun(
        openings=tuple(openings),
        number=next(iter(elsewhere or numbers), None),
        exercise=kernel.id if kernel else None,
    )


def _one_a_topic(
    questions: Questions, kind: type[Open] | type[Number], dice: random.Random
) -> list[str]:
    """A question of a kind from each topic, in a drawn order."""
    topics: dict[str, list[str]] = {}
    for name, (topic, question) in sorted(questions.items()):
        if isinstance(question, kind):
            topics.setdefault(topic, []).append(name)
    chosen = [dice.choice(names) for names in topics.values()]
    dice.shuffle(chosen)
    return chosen


def next_part(steps: Sequence[Step], questions: Questions, left: float) -> Part | None:
    """What to ask next with this many seconds left; None if the interview is over.

    Questions that are no longer in the banks are skipped.
    """
    if left <= 0:
        return None
    begun = next(step for step in steps if isinstance(step, Begun))
    asked = [step for step in steps if isinstance(step, Asked)]
    done = {step.question for step in asked}
    if asked and asked[-1].role == "opening" and (after := _follow_up(asked[-1], questions, done)):
        return Part("follow-up", after)
    for name in begun.openings:
        if name in questions and name not in done:
            return Part("opening", name)
    if begun.number and begun.number in questions and begun.number not in done:
        return Part("number", begun.number)
    if begun.exercise and not any(isinstance(step, Coded) for step in steps):
        return Part("kernel", begun.exercise)
    return None


def _follow_up(asked: Asked, questions: Questions, done: set[str]) -> str | None:
    if asked.question not in questions:
        return None
    _, question = questions[asked.question]
    points = question.points if isinstance(question, Open) else ()
    missed = [point for point in points if point.id in asked.missing]
    found = follow_up(question, missed, questions, done)
    return found.id if found else None


def follow_up(
    question: Question, missed: Sequence[KeyPoint], questions: Questions, done: set[str]
) -> Question | None:
    """The follow-up question: of those that the author lists, the one that shares most words
    with the points that were missed; the first one if none were."""
    listed = [
        questions[name][1] for name in question.follow_ups if name in questions and name not in done
    ]
    if not listed:
        return None
    wanted = _stems(point.says for point in missed)
    return max(listed, key=lambda each: len(wanted & _stems([each.ask, each.why])))


def _stems(texts: Iterable[str]) -> set[str]:
    return {word.stem for text in texts for word in read_words(text)}
