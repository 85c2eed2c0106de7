"""``quizprep mock``: a timed interview; every step is stored, and it ends with a debrief."""

from __future__ import annotations

from pathlib import Path

import click

from quizprep.cli import round_text
from quizprep.cli.options import (
    HELP_NAMES,
    LEVELS,
    bank_option,
    library_of,
    plain_option,
    seed_option,
)
from quizprep.cli.terminal import Leave, Terminal
from quizprep.cli.today import say_next
from quizprep.content.library import Library
from quizprep.content.questions import Level, Open
from quizprep.quiz import times
from quizprep.quiz.interview import (
    MINUTES,
    TITLES,
    Asked,
    Coded,
    Ended,
    Log,
    Part,
    Paused,
    Step,
    answer,
    answered_before,
    begin,
    keep,
    next_part,
    put,
    read_log,
    skipped,
    unfinished,
)
from quizprep.quiz.marking import Invalid
from quizprep.quiz.presented import Presented, colon_for, key_of
from quizprep.store import Store

_KEYS = {"s": "skip", "q": "leave, go on later"}
_PROMPT = ("?", *_KEYS)
_NO_HINTS = "There are no hints in an interview; s skips the question."


@click.command(context_settings=HELP_NAMES)
@click.option("--level", type=LEVELS, help="Ask only questions of this level.")
@click.option(
    "--minutes",
    type=click.IntRange(5, 180),
    default=MINUTES,
    help=f"How long it takes (default {MINUTES}).",
)
@click.option(
    "--new", "anew", is_flag=True, help="Begin a new interview, even if one is unfinished."
)
@seed_option
@plain_option
@bank_option
def mock(
    level: str | None,
    minutes: int,
    anew: bool,
    seed: int | None,
    plain: bool,
    bank: Path | None,
) -> None:
    """Hold a timed interview: spoken questions with follow-ups, a number, then a kernel.

    Answer as you would speak; the marks come at the end. The kernel opens in $EDITOR and is
    graded; without an editor it is left out. When the time is over nothing more is asked, and
    being slow costs no points.

    s skips a question, which stores no answer. q leaves: the next quizprep mock continues, and
    the time away does not count. Every answer is stored at once.
    """
    library = library_of(bank)
    terminal = Terminal(plain=plain)
    with Store.open() as store:
        log = None if anew else unfinished(store)
        if log is None:
            log = begin(store, library, Level(level) if level else None, minutes, seed)
        else:
            _say_resumed(terminal, log)
        Interviewer(terminal, library, store, log).run()


class Interviewer:
    """Runs one interview from its last step to its debrief, or until the learner leaves."""

    def __init__(self, terminal: Terminal, library: Library, store: Store, log: Log) -> None:
        self._terminal = terminal
        self._library = library
        self._store = store
        self._log = log
        self._since = times.seconds()

    @property
    def _spent(self) -> float:
        return self._log.seconds + times.seconds() - self._since

    @property
    def _left(self) -> float:
        return self._log.interview.minutes * 60 - self._spent

    def run(self) -> None:
        """Ask one part after another, then give the debrief."""
        try:
            while part := self._next():
                self._keep(self._kernel(part) if part.role == "kernel" else self._ask(part))
            if self._left <= 0:
                self._terminal.say()
                self._terminal.say("Time is up.", "bold")
            from quizprep.cli.debrief import debrief

            debrief(self._terminal, self._library, self._store, self._log)
        except (Leave, KeyboardInterrupt):
            self._keep(Paused())
            self._terminal.say()
            self._terminal.say("Everything so far is kept; quizprep mock goes on from here.")
            return
        self._keep(Ended())
        say_next(self._terminal, self._library, self._store)

    def _next(self) -> Part | None:
        # Read anew: parts of it may be answered in the browser meanwhile.
        self._log = read_log(self._store, self._log.interview)
        return next_part(self._log.steps, self._library.questions, self._left)

    def _keep(self, step: Step) -> None:
        now = times.seconds()
        keep(self._store, self._log, step, now - self._since)
        self._since = now

    def _heading(self, title: str, about: str) -> None:
        minute = int(self._spent // 60)
        self._terminal.heading(
            f"{title}: {about}, minute {minute} of {self._log.interview.minutes}"
        )

    def _ask(self, part: Part) -> Asked:
        presented = put(self._log, self._library, part)
        before = answered_before(self._store, self._log, part, presented)
        if before is not None:
            return before
        question = presented.question
        self._heading(TITLES[part.role], presented.topic)
        round_text.show_presented(self._terminal, presented)
        colon = colon_for(question, _PROMPT)
        keys = ", ".join(f"{colon}{key} {does}" for key, does in _KEYS.items())
        self._terminal.say(f"{round_text.what_to_type(self._terminal, presented)} ({keys})", "dim")
        begun = times.seconds()
        while True:
            reply = self._reply(presented)
            if reply is None:
                return skipped(part, presented)
            seconds = times.seconds() - begun if self._terminal.interactive else None
            result = answer(self._store, self._log, part, presented, reply, seconds)
            if not isinstance(result, Invalid):
                return result
            self._terminal.say(result.expected, "yellow")

    def _reply(self, presented: Presented) -> str | None:
        """What was said; None if the learner skips the question."""

        def no_hints(_: str = "") -> None:
            self._terminal.say(_NO_HINTS, "yellow")

        while True:
            spoken = isinstance(presented.question, Open)
            reply = self._terminal.ask_long(hint=no_hints) if spoken else self._terminal.ask()
            key = "q" if reply is None else key_of(presented.question, reply, _PROMPT)
            if key == "q":
                raise Leave
            if key != "?":
                return None if key == "s" else reply
            no_hints()

    def _kernel(self, part: Part) -> Coded:
        from quizprep.cli.kernel import write_kernel

        exercise = self._library.exercise(part.id)
        self._heading(TITLES["kernel"], exercise.id)
        return write_kernel(
            self._terminal, self._library, self._store, exercise, self._log.interview
        )


def _say_resumed(terminal: Terminal, log: Log) -> None:
    when = log.interview.at.astimezone()
    used = round(log.seconds / 60)
    terminal.say(
        f"Going on with the interview of {when.day} {when:%B}: {used} of "
        f"{log.interview.minutes} minutes used. --new begins another.",
        "dim",
    )
