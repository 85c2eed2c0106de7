"""A round: questions put to a person one by one, every answer stored before it is explained."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from quizprep.cli import round_text
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.quiz.posed import Posed, could_be_a_reply, pose
from quizprep.quiz.session import Outcome, Pick, draw_seed
from quizprep.store import Review, Store


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Leave(Exception):
    """The learner leaves, or the input ends."""


class Round:
    """One round. ``clock`` gives aware UTC times and is the seam for tests."""

    def __init__(
        self,
        terminal: Terminal,
        library: Library,
        store: Store,
        picks: Sequence[Pick],
        seed: int,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._terminal = terminal
        self._library = library
        self._store = store
        self._picks = picks
        self._seed = seed
        self._clock = clock
        self._session = os.urandom(6).hex()
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Ask every question, or up to where the learner leaves; then the summary."""
        try:
            for place, pick in enumerate(self._picks, start=1):
                posed = pose(pick.topic, pick.question, draw_seed(self._seed, pick.question.id))
                round_text.show_question(self._terminal, pick, posed, place, len(self._picks))
                self._one(pick, posed)
        except _Leave:
            pass
        except KeyboardInterrupt:
            self._terminal.say()
        round_text.show_summary(
            self._terminal, self._library, self._store, self._outcome, self._seed
        )
        return self._outcome

    def _one(self, pick: Pick, posed: Posed) -> None:
        from_here = time.monotonic()
        hints = 0
        while True:
            reply = self._ask(posed)
            match self._key(posed, reply):
                case "q":
                    raise _Leave
                case "s":
                    self._outcome.skipped += 1
                    self._terminal.say("Skipped.")
                    return
                case "?":
                    hints += round_text.show_hint(self._terminal, posed, hints)
                    continue
                case "x":
                    self._answered(pick, posed, None, hints, from_here)
                    return
            if self._answered(pick, posed, reply, hints, from_here):
                return

    def _ask(self, posed: Posed) -> str:
        spoken = isinstance(posed.question, Open)
        reply = self._terminal.ask_long() if spoken else self._terminal.ask()
        if reply is None:
            raise _Leave
        return reply

    def _key(self, posed: Posed, reply: str) -> str | None:
        """The key a reply is, if it is one; ``:q`` is one even where q may be the answer."""
        text = reply.strip().casefold()
        if text.startswith(":") and text[1:] in ("?", "s", "q", "x"):
            return text[1:]
        if text in ("s", "q", "x") and could_be_a_reply(posed.question, text):
            return None
        return text if text in ("?", "s", "q", "x") else None

    def _answered(
        self, pick: Pick, posed: Posed, reply: str | None, hints: int, since: float
    ) -> bool:
        """Mark, store and explain a reply (None: gave up); False where it could not be read."""
        # Imported now: the first prompt is there sooner.
        from quizprep.quiz.marking import Invalid, Mark, mark, match_open
        from quizprep.quiz.scheduling import Rating, kind_of, rate, reschedule
        from quizprep.store import Answer

        result = (
            Mark(0.0, ("You asked to see it, which counts as missed.",))
            if reply is None
            else mark(posed.question, posed.values, reply, posed.shown or None)
        )
        if isinstance(result, Invalid):
            self._terminal.say(result.expected, "yellow")
            return False
        seconds = time.monotonic() - since if self._terminal.interactive else None
        kind = kind_of(posed.question)
        review = self._store.record_review(
            Answer(
                question=posed.question.id,
                at=self._clock(),
                seed=posed.seed,
                reply=reply or "",
                score=result.score,
                rating=rate(result.score, hints, seconds, kind),
                hints=hints,
                seconds=seconds,
                session=self._session,
            ),
            reschedule,
        )
        if isinstance(posed.question, Open) and reply is not None:
            from quizprep.cli.confirm import confirmed

            agreed = confirmed(self._terminal, posed, match_open(posed.question, reply))
            if agreed.score != result.score:
                review = self._store.correct_review(
                    review,
                    agreed.score,
                    rate(agreed.score, hints, seconds, kind),
                    self._clock(),
                    reschedule,
                )
            result = agreed
        self._outcome.scores.append(result.score)
        if not result.right:
            self._outcome.missed.append(pick)
        round_text.show_mark(self._terminal, self._library, self._store, posed, result)
        self._terminal.say(self._due_text(review, Rating(review.rating).name.lower()), "dim")
        if self._terminal.interactive:
            self._own_rating(review)
        return True

    def _own_rating(self, review: Review) -> None:
        """A keystroke between questions: the learner's own rating, or on."""
        from quizprep.quiz.scheduling import Rating, reschedule

        pressed = self._terminal.key("Enter goes on; 1 again, 2 hard, 3 good, 4 easy; q leaves.")
        if pressed is None or pressed in ("q", "Q"):
            raise _Leave
        if pressed in ("1", "2", "3", "4") and int(pressed) != review.rating:
            renewed = self._store.correct_review(
                review, review.score, int(pressed), self._clock(), reschedule
            )
            self._terminal.say(self._due_text(renewed, Rating(renewed.rating).name.lower()), "dim")

    def _due_text(self, review: Review, rating: str) -> str:
        from quizprep.quiz.times import in_words

        due = self._store.cards()[review.question].due
        return f"Rated {rating}; due again {in_words(due, review.at)}."
