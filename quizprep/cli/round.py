"""A round: questions put to a person one by one, every answer stored before it is explained."""

from __future__ import annotations

import os
from collections.abc import Sequence

from quizprep.cli import clock, round_text
from quizprep.cli.terminal import Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Open
from quizprep.quiz.presented import Posed, could_be_a_reply, pose
from quizprep.quiz.selection import Outcome, Pick, draw_seed
from quizprep.store import Review, Store

KEYS = ("?", "s", "q", "x", "u")


class _Leave(Exception):
    """The learner leaves, or the input ends."""


class _TakeBack(Exception):
    """The learner takes the last answer back."""


class Round:
    """One round."""

    def __init__(
        self,
        terminal: Terminal,
        library: Library,
        store: Store,
        picks: Sequence[Pick],
        seed: int,
    ) -> None:
        self._terminal = terminal
        self._library = library
        self._store = store
        self._picks = picks
        self._seed = seed
        self._session = os.urandom(6).hex()
        self._outcome = Outcome()
        self._given: list[tuple[int, Review]] = []
        self._skipped: list[int] = []

    def run(self) -> Outcome:
        """Ask every question, or up to where the learner leaves; then the summary."""
        try:
            place = 0
            while place < len(self._picks):
                try:
                    self._one(place)
                    place += 1
                except _TakeBack:
                    place = self._take_back()
        except _Leave:
            pass
        except KeyboardInterrupt:
            self._terminal.say()
        round_text.show_summary(
            self._terminal, self._library, self._store, self._outcome, self._seed
        )
        return self._outcome

    def _one(self, place: int) -> None:
        pick = self._picks[place]
        posed = pose(pick.topic, pick.question, draw_seed(self._seed, pick.question.id))
        round_text.show_question(
            self._terminal, pick, posed, place + 1, len(self._picks), undo=bool(self._given)
        )
        from_here = clock.seconds()
        hints = 0
        while True:
            reply, asked_while_typing = self._ask(posed)
            hints += asked_while_typing
            match self._key(posed, reply):
                case "q":
                    raise _Leave
                case "s":
                    self._skipped.append(place)
                    self._outcome.skipped = len(self._skipped)
                    self._terminal.say("Skipped.")
                    return
                case "u":
                    if self._given:
                        raise _TakeBack
                    self._terminal.say(
                        "No answer of this round is left to take back; quizprep undo goes "
                        "further back.",
                        "yellow",
                    )
                    continue
                case "?":
                    hints += round_text.show_hint(self._terminal, self._library, posed, hints)
                    continue
                case "x":
                    self._answered(place, posed, None, hints, from_here)
                    return
            if self._answered(place, posed, reply, hints, from_here):
                return

    def _ask(self, posed: Posed) -> tuple[str, int]:
        """The reply, and how many hints were asked for while it was typed."""
        asked: list[str] = []

        def hint(text: str) -> None:
            from quizprep.quiz.hints import so_far

            assert isinstance(posed.question, Open)
            asked.append(text)
            self._terminal.say(f"Hint: {so_far(posed.question, text)}", "yellow")

        spoken = isinstance(posed.question, Open)
        reply = self._terminal.ask_long(hint=hint) if spoken else self._terminal.ask()
        if reply is None:
            raise _Leave
        return reply, len(asked)

    def _key(self, posed: Posed, reply: str) -> str | None:
        """The key a reply is, if it is one; ``:q`` is one even where q may be the answer."""
        text = reply.strip().casefold()
        if text.startswith(":") and text[1:] in KEYS:
            return text[1:]
        if text in KEYS and could_be_a_reply(posed.question, text):
            return None
        return text if text in KEYS else None

    def _take_back(self) -> int:
        """Void the last answer; returns the place of its question, which is asked again."""
        from quizprep.quiz.scheduling import reschedule

        place, review = self._given.pop()
        self._store.void_review(review, clock.now(), reschedule)
        self._outcome.scores.pop()
        if self._outcome.missed and self._outcome.missed[-1] is self._picks[place]:
            self._outcome.missed.pop()
        self._skipped = [skipped for skipped in self._skipped if skipped < place]
        self._outcome.skipped = len(self._skipped)
        self._terminal.say("Taken back; the question is asked again.", "yellow")
        return place

    def _answered(
        self, place: int, posed: Posed, reply: str | None, hints: int, since: float
    ) -> bool:
        """Mark, store and explain a reply (None: gave up); False where it could not be read."""
        # Imported now: the first prompt is there sooner.
        from quizprep.quiz.marking import Invalid, Mark, mark, match_open
        from quizprep.quiz.recording import agree, record
        from quizprep.quiz.scheduling import Rating

        result = (
            Mark(0.0, ("You asked to see it, which counts as missed.",))
            if reply is None
            else mark(posed.question, posed.values, reply, posed.shown or None)
        )
        if isinstance(result, Invalid):
            self._terminal.say(result.expected, "yellow")
            return False
        seconds = clock.seconds() - since if self._terminal.interactive else None
        review = record(
            self._store,
            posed,
            reply or "",
            result,
            clock.now(),
            seconds,
            self._session,
            hints,
        )
        if isinstance(posed.question, Open) and reply is not None:
            from quizprep.cli.confirm import confirmed

            result = confirmed(self._terminal, posed, match_open(posed.question, reply))
            review = agree(self._store, review, posed, result, clock.now())
        self._given.append((place, review))
        self._outcome.scores.append(result.score)
        if not result.right:
            self._outcome.missed.append(self._picks[place])
        round_text.show_mark(self._terminal, self._library, self._store, posed, result)
        self._terminal.say(self._due_text(review, Rating(review.rating).name.lower()), "dim")
        if self._terminal.interactive:
            self._own_rating(review)
        return True

    def _own_rating(self, review: Review) -> None:
        """A keystroke between questions: the learner's own rating, or on."""
        from quizprep.quiz.scheduling import Rating, reschedule

        pressed = self._terminal.key(
            "Enter goes on; 1 again, 2 hard, 3 good, 4 easy; u takes it back; q leaves."
        )
        if pressed is None or pressed in ("q", "Q"):
            raise _Leave
        if pressed in ("u", "U"):
            raise _TakeBack
        if pressed in ("1", "2", "3", "4") and int(pressed) != review.rating:
            renewed = self._store.correct_review(
                review, review.score, int(pressed), clock.now(), reschedule
            )
            self._terminal.say(self._due_text(renewed, Rating(renewed.rating).name.lower()), "dim")

    def _due_text(self, review: Review, rating: str) -> str:
        from quizprep.quiz.times import in_words

        due = self._store.cards()[review.question].due
        return f"Rated {rating}; due again {in_words(due, review.at)}."
