"""The interviewer: asks part after part, marks in silence, and keeps every step in the store."""

from __future__ import annotations

from dataclasses import dataclass

from quizprep.cli import clock, round_text
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.quiz.interview import Asked, Coded, Ended, Part, Paused, Role, Step, next_part, write
from quizprep.quiz.marking import Invalid, Mark, mark, match_open
from quizprep.quiz.presented import Posed, could_be_a_reply, pose
from quizprep.quiz.recording import record
from quizprep.quiz.selection import draw_seed
from quizprep.store import Mock, Review, Store

_TITLES = {"opening": "Question", "follow-up": "Follow-up", "number": "A number"}


class Leave(Exception):
    """The learner leaves, or the input ends."""


@dataclass
class Interview:
    """An interview under way: its steps so far, and the seconds they took."""

    mock: Mock
    steps: list[Step]
    seconds: float


class Interviewer:
    """Runs one interview from where it is to its debrief, or to where the learner leaves."""

    def __init__(
        self, terminal: Terminal, library: Library, store: Store, interview: Interview
    ) -> None:
        self._terminal = terminal
        self._library = library
        self._store = store
        self._interview = interview
        self._since = clock.seconds()

    @property
    def _spent(self) -> float:
        return self._interview.seconds + clock.seconds() - self._since

    @property
    def _left(self) -> float:
        return self._interview.mock.minutes * 60 - self._spent

    def run(self) -> None:
        """Ask what comes next until nothing does, then the debrief."""
        try:
            while part := self._next():
                self._keep(self._kernel(part) if part.role == "kernel" else self._ask(part))
            if self._left <= 0:
                self._terminal.say()
                self._terminal.say("Time is up.", "bold")
            from quizprep.cli.debrief import debrief

            debrief(self._terminal, self._library, self._store, self._interview)
        except (Leave, KeyboardInterrupt):
            self._keep(Paused())
            self._terminal.say()
            self._terminal.say("Everything so far is kept; quizprep mock goes on from here.")
            return
        self._keep(Ended())

    def _next(self) -> Part | None:
        return next_part(self._interview.steps, self._library.questions, self._left)

    def _keep(self, step: Step) -> None:
        now = clock.seconds()
        seconds = now - self._since
        self._since = now
        self._store.add_mock_step(self._interview.mock, seconds, write(step), clock.now())
        self._interview.steps.append(step)
        self._interview.seconds += seconds

    def _heading(self, title: str, about: str) -> None:
        minute = int(self._spent // 60)
        self._terminal.heading(
            f"{title}: {about}, minute {minute} of {self._interview.mock.minutes}"
        )

    def _ask(self, part: Part) -> Asked:
        assert part.role != "kernel"
        topic, question = self._library.questions[part.id]
        posed = pose(topic, question, draw_seed(self._interview.mock.seed, question.id))
        if (answered := self._answered_before(posed)) is not None:
            return Asked(question.id, part.role, answered.id, _missing(posed, answered.reply))
        self._heading(_TITLES[part.role], topic)
        round_text.show_posed(self._terminal, posed)
        colon = ":" if any(could_be_a_reply(question, key) for key in "sq") else ""
        what = round_text.what_to_type(self._terminal, posed)
        self._terminal.say(f"{what} ({colon}s pass, {colon}q leave, go on later)", "dim")
        begun = clock.seconds()
        while True:
            reply = self._reply(posed)
            result = _marked(posed, reply)
            if not isinstance(result, Invalid):
                break
            self._terminal.say(result.expected, "yellow")
        seconds = clock.seconds() - begun if self._terminal.interactive else None
        return self._answered(part.role, posed, reply, result, seconds)

    def _reply(self, posed: Posed) -> str | None:
        """What was said; None for a pass."""
        spoken = isinstance(posed.question, Open)
        reply = self._terminal.ask_long() if spoken else self._terminal.ask()
        key = "q" if reply is None else reply.strip().casefold()
        if key.removeprefix(":") in ("s", "q") and not could_be_a_reply(posed.question, key):
            if key.endswith("q"):
                raise Leave
            return None
        return reply

    def _answered(
        self, role: Role, posed: Posed, reply: str | None, result: Mark, seconds: float | None
    ) -> Asked:
        session = self._interview.mock.session
        review = record(self._store, posed, reply or "", result, clock.now(), seconds, session)
        return Asked(posed.question.id, role, review.id, _missing(posed, review.reply))

    def _answered_before(self, posed: Posed) -> Review | None:
        """The answer of this interview whose step a kill kept from being written."""
        session = self._interview.mock.session
        reviews = self._store.reviews(posed.question.id)
        return next((review for review in reviews if review.session == session), None)

    def _kernel(self, part: Part) -> Coded:
        from quizprep.cli.kernel import write_kernel

        exercise = self._library.exercise(part.id)
        self._heading("A kernel", exercise.id)
        return write_kernel(
            self._terminal, self._library, self._store, exercise, self._interview.mock
        )


def _missing(posed: Posed, reply: str) -> tuple[str, ...]:
    """The ids of the points that a spoken answer leaves out."""
    if not isinstance(posed.question, Open):
        return ()
    return tuple(point.id for point in match_open(posed.question, reply).missing)


def _marked(posed: Posed, reply: str | None) -> Mark | Invalid:
    if reply is None:
        return Mark(0.0, ("You passed, which counts as missed.",))
    return mark(posed.question, posed.values, reply, posed.shown or None)
