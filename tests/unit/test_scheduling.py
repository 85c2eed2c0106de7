"""Scheduling is a function of the log, and a round is a function of what is known."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.questions import Level, Question
from quizprep.quiz import times
from quizprep.quiz.scheduling import (
    EXPECTED_SECONDS,
    SCHEDULER,
    Rating,
    cards_after,
    is_due,
    rate,
    reschedule,
    retrievability,
)
from quizprep.quiz.selection import (
    Filter,
    History,
    Why,
    draw_seed,
    plan,
)
from quizprep.quiz.times import in_words
from quizprep.quiz.weakness import ANSWERS_TO_SETTLE
from quizprep.store import Answer, Card, DueMark, Latest, Review, Store
from tests.unit.questions import question

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RATINGS = st.lists(st.integers(1, 4), min_size=1, max_size=8)


def log(ratings: Sequence[int], gap: timedelta = timedelta(days=2)) -> list[Review]:
    """Reviews of one question with these ratings, a gap apart."""
    return [
        Review("q", NOW + place * gap, place, "r", 1.0, rating, 0, None, "s", place + 1)
        for place, rating in enumerate(ratings)
    ]


@pytest.mark.parametrize(
    ("score", "hints", "seconds", "expected"),
    [
        (0.0, 0, None, Rating.AGAIN),
        (0.49, 0, 1, Rating.AGAIN),
        (0.5, 0, 1, Rating.HARD),
        (1.0, 1, 1, Rating.HARD),
        (1.0, 0, None, Rating.GOOD),
        (1.0, 0, 30, Rating.GOOD),
        (1.0, 0, 61, Rating.HARD),
        (1.0, 0, 7, Rating.EASY),
    ],
)
def test_the_documented_table_of_ratings(
    score: float, hints: int, seconds: float | None, expected: Rating
) -> None:
    """Mark, hints and time (a choice is expected to take 30 s) give the rating."""
    assert rate(score, hints, seconds, "choice") is expected


@given(
    st.floats(0, 1), st.floats(0, 1), st.integers(0, 3), st.sampled_from(sorted(EXPECTED_SECONDS))
)
def test_a_better_mark_never_rates_worse(a: float, b: float, hints: int, kind: str) -> None:
    """The rating rises with the score, and a hint never raises it."""
    low, high = sorted((a, b))
    assert rate(low, hints, 1, kind) <= rate(high, hints, 1, kind)
    assert rate(a, hints, 1, kind) <= rate(a, 0, 1, kind)


@given(RATINGS)
def test_the_same_log_gives_the_same_card(ratings: list[int]) -> None:
    """No fuzzing, no clock: dates are a function of the log."""
    assert reschedule(log(ratings)) == reschedule(log(ratings))


@given(RATINGS, st.integers(2, 3))
def test_a_better_last_rating_is_never_due_earlier(ratings: list[int], last: int) -> None:
    """Recalling better puts a question further off."""
    assert reschedule(log([*ratings, last])).due <= reschedule(log([*ratings, last + 1])).due


def test_a_miss_comes_back_in_ten_minutes_and_a_success_in_days() -> None:
    """What was missed is asked again while one still sits there."""
    assert reschedule(log([1])).due == NOW + timedelta(minutes=10)
    assert reschedule(log([3])).due >= NOW + timedelta(days=1)
    assert is_due(reschedule(log([1])), NOW + timedelta(minutes=10))
    assert not is_due(reschedule(log([3])), NOW + timedelta(hours=12))


@contextlib.contextmanager
def zone(name: str) -> Iterator[None]:
    """This process in a time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


@given(
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    RATINGS,
    st.integers(0, 24 * 60 - 1),
)
def test_a_question_is_due_from_four_in_the_morning_of_its_day(
    where: str, first: datetime, ratings: list[int], minute: int
) -> None:
    """At whatever time of the year and of the day it was answered: never on a day before the one
    that FSRS gives, at every time of that day. A step of minutes runs from the answer."""
    with zone(where):
        reviews = [replace(review, at=review.at - NOW + first) for review in log(ratings)]
        card = reschedule(reviews)
        state = json.loads(card.state)
        interval = datetime.fromisoformat(state["due"]) - datetime.fromisoformat(
            state["last_review"]
        )
        answered = reviews[-1].at
        if interval < timedelta(days=1):
            assert card.due == answered + interval
            return
        day = times.day_of(answered) + interval
        due = card.due.astimezone()
        assert (due.date(), due.hour, due.minute) == (day, 4, 0)
        moment = times.begins(times.day_of(answered)) + timedelta(minutes=minute)
        while times.day_of(moment) < day:
            assert not is_due(card, moment)
            moment += timedelta(days=1)
        assert is_due(card, max(moment, due))


@given(st.integers(4, 23), st.integers(4, 23), st.integers(1, 30))
def test_days_count_and_not_hours(evening: int, morning: int, days: int) -> None:
    """Answered in the evening and in a morning, a day later is a day later."""

    def card(*hours: int) -> Card:
        at = [datetime(2026, 11, 1, hours[0], tzinfo=UTC)]
        at.append(datetime(2026, 11, 1, hours[1], tzinfo=UTC) + timedelta(days=days))
        with zone("UTC"):
            return reschedule([replace(r, at=a) for r, a in zip(log([3, 3]), at, strict=True)])

    assert card(evening, morning) == card(4, 4)


@given(RATINGS, st.integers(0, 400), st.integers(0, 400))
def test_recall_falls_with_time(ratings: list[int], a: int, b: int) -> None:
    """Retrievability is a probability that only time lowers; 0 for what was never asked."""
    card = reschedule(log(ratings))
    last = NOW + timedelta(days=2 * len(ratings))
    sooner, later = (retrievability(card, last + timedelta(days=d)) for d in sorted((a, b)))
    assert 0 <= later <= sooner <= 1
    assert retrievability(None, NOW) == 0


def test_cards_that_the_cache_lacks_are_computed_from_the_log(tmp_path: Path) -> None:
    """A cache of another scheduler, or none at all, changes nothing but the time it takes."""

    def outdated(reviews: Sequence[Review]) -> Card:
        return Card(reviews[-1].question, reviews[-1].id, "other", NOW, "{}")

    with Store.open(tmp_path) as store:
        for place, how in enumerate((outdated, reschedule, outdated)):
            answer = Answer(f"q{place}", NOW, 1, "r", 1.0, 3, 0, None, "s")
            store.record_review(answer, how)
        cards = cards_after(store, store.latest())
        assert {card.scheduler for card in cards.values()} == {SCHEDULER}
        assert cards == {q: reschedule(store.reviews(q)) for q in ("q0", "q1", "q2")}
        assert store.cards() == cards


LEVELS = [level.value for level in Level]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[tuple[str, Question]], History]:
    """Some questions on few concepts, some of them answered, some concepts marked."""
    asked: list[tuple[str, Question]] = []
    cards: dict[str, Card] = {}
    answers: dict[str, Latest] = {}
    for place in range(draw(st.integers(0, 12))):
        q = question(
            "cloze",
            id=f"q{place}",
            accept=["x"],
            level=draw(st.sampled_from(LEVELS)),
            concepts=draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True)),
        )
        asked.append((draw(st.sampled_from(["t1", "t2"])), q))
        if draw(st.booleans()):
            at = NOW - timedelta(days=draw(st.integers(1, 9)))
            answers[q.id] = Latest(place + 1, at, (1.0,))
            due = NOW + timedelta(days=draw(st.integers(-5, 5)))
            cards[q.id] = Card(q.id, place + 1, SCHEDULER, due, "")
    marks = [
        DueMark(concept, f"because of {concept}", NOW - timedelta(days=draw(st.integers(1, 9))))
        for concept in draw(st.lists(st.sampled_from("abc"), unique=True))
    ]
    return asked, History(cards, answers, marks)


@given(histories(), st.integers(1, 12))
def test_a_round_goes_from_marked_to_due_to_new(
    known: tuple[list[tuple[str, Question]], History], count: int
) -> None:
    """No question twice, at most as many as asked for, each for the reason it says, in order."""
    asked, history = known
    picks = plan(asked, history, NOW, Filter(count=count))
    assert len(picks) <= count
    assert len({pick.question.id for pick in picks}) == len(picks)
    order = [Why.BROUGHT_FORWARD, Why.DUE, Why.NEW]
    assert [order.index(p.why) for p in picks] == sorted(order.index(p.why) for p in picks)
    for pick in picks:
        card = history.cards.get(pick.question.id)
        match pick.why:
            case Why.DUE:
                assert card
                assert card.due <= NOW
            case Why.NEW:
                assert card is None
            case _:
                assert any(f"because of {c}" == pick.reason for c in pick.question.concepts)
    new = [pick.question.level for pick in picks if pick.why is Why.NEW]
    assert new == sorted(new, key=list(Level).index)


@given(histories())
def test_all_asks_everything_and_due_only_what_is_due(
    known: tuple[list[tuple[str, Question]], History],
) -> None:
    """--all leaves nothing out; --due takes nothing new unless it was brought forward."""
    asked, history = known
    everything = plan(asked, history, NOW, Filter(also_early=True, count=None))
    assert {p.question.id for p in everything} == {q.id for _, q in asked}
    due = plan(asked, history, NOW, Filter(only_due=True, count=None))
    assert all(p.why in (Why.BROUGHT_FORWARD, Why.DUE) for p in due)
    overdue = {q for q, card in history.cards.items() if card.due <= NOW}
    assert overdue <= {p.question.id for p in due}


def test_a_mark_asks_its_questions_until_enough_were_answered() -> None:
    """Each mark brings a few questions forward; answering them afterwards settles it."""
    asked = [("t", question("cloze", id=f"q{n}", accept=["x"], concepts=["a"])) for n in range(9)]
    mark = DueMark("a", "why", NOW)
    answers: dict[str, Latest] = {}
    for done in range(ANSWERS_TO_SETTLE + 1):
        picks = plan(asked, History({}, answers, [mark]), NOW, Filter(only_due=True))
        assert len(picks) == ANSWERS_TO_SETTLE - done
        if picks:
            answers[picks[0].question.id] = Latest(1, NOW + timedelta(minutes=1), (1.0,))


@given(st.integers(0, 2**31))
def test_draws_of_a_round_follow_from_its_seed(base: int) -> None:
    """The same base seed draws alike for a question, and differently for two questions."""
    assert draw_seed(base, "q") == draw_seed(base, "q")
    assert draw_seed(base, "q") != draw_seed(base, "r")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-5, "now"),
        (10, "in 10 minutes"),
        (60, "in 1 hour"),
        (5 * 60, "in 5 hours"),
        (16 * 60, "tomorrow"),
        (24 * 60, "tomorrow"),
        (3 * 24 * 60, "in 3 days"),
        (28 * 24 * 60, "in 4 weeks"),
        (120 * 24 * 60, "in 4 months"),
    ],
)
def test_times_in_words(minutes: int, words: str) -> None:
    """Near times are exact, far ones rough."""
    assert in_words(NOW + timedelta(minutes=minutes), NOW) == words


def test_a_clock_that_was_set_back_lets_no_time_pass() -> None:
    """An answer stamped years ahead counts as given when the next one was; nothing breaks."""
    first, second = log([3, 3])
    ahead = replace(first, at=first.at + timedelta(days=30_000))
    assert reschedule([ahead, second]).due == reschedule([replace(first, at=second.at), second]).due
