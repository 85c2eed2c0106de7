"""A round: questions put to a person one by one, every answer stored before it is explained."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from quizprep.cli import round_text
from quizprep.cli.terminal import Leave, Terminal
from quizprep.content.library import Library
from quizprep.content.questions import Chain, Open
from quizprep.quiz import times
from quizprep.quiz.chains import GOOD, place_in
from quizprep.quiz.presented import Presented, key_of, present
from quizprep.quiz.scheduling import Rating, agree, record, reschedule
from quizprep.quiz.selection import Pick, Why, draw_seed
from quizprep.store import Review, Store

CHAIN_LEFT = "chain left"
"""The setting with the first question of the chain that was last left without an answer."""


class _TakeBack(Exception):
    """The learner takes the last answer back."""


@dataclass(frozen=True)
class _Given:
    """An answer given in this round: the place of its question, its review, its score."""

    place: int
    review: Review
    score: float


class Round:
    """One round."""

    def __init__(
        self,
        terminal: Terminal,
        library: Library,
        store: Store,
        picks: Sequence[Pick],
        seed: int,
        chain: Chain | None = None,
    ) -> None:
        """With a ``chain`` the picks are its first question, and each answer leads to the next."""
        self._terminal = terminal
        self._library = library
        self._store = store
        self._picks = list(picks)
        self._chain = chain
        self._seed = seed
        self._session = os.urandom(6).hex()
        self._given: list[_Given] = []
        self._skipped: list[int] = []

    def run(self) -> None:
        """Ask questions until all are answered or the learner leaves, then print the summary."""
        ended = False
        try:
            place = 0
            while place < len(self._picks):
                try:
                    self._one(place)
                    place += 1
                    if self._chain is not None:
                        self._lead_on(self._chain)
                except _TakeBack:
                    place = self._take_back()
                    if self._chain is not None:
                        del self._picks[place + 1 :]
            ended = True
        except Leave:
            pass
        except KeyboardInterrupt:
            self._terminal.say()
        if self._chain is not None:
            self._end_chain(self._chain, ended)
        round_text.show_summary(
            self._terminal,
            self._library,
            self._store,
            scores=[given.score for given in self._given],
            missed=[self._picks[given.place] for given in self._given if given.score < 1],
            skipped=len(self._skipped),
            seed=self._seed,
        )

    def _lead_on(self, chain: Chain) -> None:
        """Add the question that the answers so far lead to; a skipped one was not answered well."""
        from quizprep.quiz.chains import is_deeper, next_in_chain

        scores = dict.fromkeys(self._skipped, 0.0) | {g.place: g.score for g in self._given}
        following = next_in_chain(
            chain, ((self._picks[place].question.id, score) for place, score in scores.items())
        )
        if following is None or following in (pick.question.id for pick in self._picks):
            return
        self._terminal.say("Deeper." if is_deeper(chain, following) else "Back, to an easier one.")
        topic, question = self._library.questions[following]
        self._picks.append(Pick(topic, question, Why.NEW))

    def _end_chain(self, chain: Chain, ended: bool) -> None:
        """Say how the chain went; one that was left without an answer does not come next."""
        how = "The end of" if ended else "You left"
        good = sum(given.score >= GOOD for given in self._given)
        asked = len(self._given) + len(self._skipped)
        self._terminal.say()
        if self._given:
            self._terminal.say(f"{how} {chain.title!r}: {good} of {asked} answered well.")
        else:
            self._terminal.say(f"Left {chain.title!r}; next time another chain comes first.")
            self._store.set_setting(CHAIN_LEFT, chain.steps[0].ask, times.now())

    def _one(self, place: int) -> None:
        pick = self._picks[place]
        presented = present(pick.topic, pick.question, draw_seed(self._seed, pick.question.id))
        where = (
            f"{place + 1} of {len(self._picks)}"
            if self._chain is None
            else place_in(self._chain, pick.question.id)
        )
        note = self._store.bookmarks().get(pick.question.id)
        round_text.show_question(
            self._terminal, pick, presented, where, undo=bool(self._given), note=note
        )
        from_here = times.seconds()
        hints = 0
        while True:
            reply, asked_while_typing = self._ask(presented)
            hints += asked_while_typing
            match key_of(presented.question, reply, round_text.KEYS):
                case "q":
                    raise Leave
                case "s":
                    self._skipped.append(place)
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
                    hints += round_text.show_hint(self._terminal, self._library, presented, hints)
                    continue
                case "*":
                    self._bookmark(pick.question.id)
                    continue
                case "x":
                    self._answered(place, presented, None, hints, from_here)
                    return
            if self._answered(place, presented, reply, hints, from_here):
                return

    def _bookmark(self, question: str) -> None:
        """Bookmark a question with a note, or drop its bookmark."""
        now = times.now()
        if question in self._store.bookmarks():
            self._store.bookmark(question, "", now, kept=False)
            self._terminal.say("The bookmark is dropped.")
            return
        self._terminal.say("Bookmarked. A note for yourself, or Enter for none:")
        self._store.bookmark(question, (self._terminal.ask() or "").strip(), now)

    def _ask(self, presented: Presented) -> tuple[str, int]:
        """The reply, and how many hints were asked for while it was being typed."""
        asked: list[str] = []

        def hint(text: str) -> None:
            from quizprep.quiz.hints import so_far

            assert isinstance(presented.question, Open)
            asked.append(text)
            self._terminal.say(f"Hint: {so_far(presented.question, text)}", "yellow")

        spoken = isinstance(presented.question, Open)
        reply = self._terminal.ask_long(hint=hint) if spoken else self._terminal.ask()
        if reply is None:
            raise Leave
        return reply, len(asked)

    def _take_back(self) -> int:
        """Void the last answer; returns the place of its question, which is asked again."""
        last = self._given.pop()
        self._store.void_review(last.review, times.now(), reschedule)
        self._skipped = [skipped for skipped in self._skipped if skipped < last.place]
        self._terminal.say("Taken back; the question is asked again.", "yellow")
        return last.place

    def _answered(
        self, place: int, presented: Presented, reply: str | None, hints: int, since: float
    ) -> bool:
        """Mark, store and explain a reply (None: the learner gave up); False if unreadable."""
        # Imported late, so that the first prompt appears sooner.
        from quizprep.quiz.marking import Invalid, Mark, mark, match_open

        result = (
            Mark(0.0, ("You asked to see it, which counts as missed.",))
            if reply is None
            else mark(presented.question, presented.values, reply, presented.shown or None)
        )
        if isinstance(result, Invalid):
            self._terminal.say(result.expected, "yellow")
            return False
        seconds = times.seconds() - since if self._terminal.interactive else None
        now, session = times.now(), self._session
        review = record(self._store, presented, reply or "", result, now, seconds, session, hints)
        if isinstance(presented.question, Open) and reply is not None:
            from quizprep.quiz.marking.open_answer import mark_open

            heard = match_open(presented.question, reply)
            result = mark_open(round_text.agreed(self._terminal, presented, heard))
            review = agree(self._store, review, presented, result, times.now())
        self._given.append(_Given(place, review, result.score))
        round_text.show_mark(self._terminal, self._library, self._store, presented, result)
        self._say_due(review)
        if self._terminal.interactive:
            self._own_rating(review)
        return True

    def _own_rating(self, review: Review) -> None:
        """One keystroke after an answer: the learner's own rating, undo, leave, or go on."""
        pressed = self._terminal.key(
            "Enter goes on; 1 again, 2 hard, 3 good, 4 easy; u takes it back; * bookmarks it; q "
            "leaves."
        )
        if pressed == "*":
            self._bookmark(review.question)
            return
        if pressed is None or pressed in ("q", "Q"):
            raise Leave
        if pressed in ("u", "U"):
            raise _TakeBack
        if pressed in ("1", "2", "3", "4") and int(pressed) != review.rating:
            self._say_due(
                self._store.correct_review(
                    review, review.score, int(pressed), times.now(), reschedule
                )
            )

    def _say_due(self, review: Review) -> None:
        due = times.in_words(self._store.cards()[review.question].due, review.at)
        rating = Rating(review.rating).name.lower()
        self._terminal.say(f"Rated {rating}; due again {due}.", "dim")
