"""Recall on a day and streaks: functions of the log."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from quizprep.grading.attempts import achieved
from quizprep.quiz.recall import TARGET, Day, overall, plan_towards, recall_by_topic
from quizprep.quiz.scheduling import reschedule, retrievability
from quizprep.quiz.selection import Filter, History, Why
from quizprep.quiz.times import streak
from quizprep.store import Attempt, Latest, Review
from tests.unit.questions import question

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
LOGS = st.dictionaries(
    st.integers(0, 11),
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)), min_size=1, max_size=3),
    max_size=12,
)
"""For some of twelve questions: days ago and rating of each answer."""
QUESTIONS = [
    (f"t{place % 3}", question("cloze", id=f"q{place}", accept=["a"], concepts=[f"c{place % 4}"]))
    for place in range(12)
]


def history(log: dict[int, list[tuple[int, int]]]) -> History:
    """Cards and last answers as the store would give them."""
    reviews = {
        f"q{place}": [
            Review(f"q{place}", NOW - timedelta(days=days), 0, "", 1.0, rating, 0, None, "s", n)
            for n, (days, rating) in enumerate(sorted(answers, reverse=True))
        ]
        for place, answers in log.items()
    }
    cards = {name: reschedule(each) for name, each in reviews.items()}
    latest = {name: Latest(each[-1].id, each[-1].at, (1.0,)) for name, each in reviews.items()}
    return History(cards, latest, ())


@given(LOGS, st.integers(0, 60))
def test_a_plan_towards_a_day_follows_its_rule(
    log: dict[int, list[tuple[int, int]]], days: int
) -> None:
    """Low recall first, an equal share of new ones, nothing answered today unless it is due."""
    known = history(log)
    new_today = sum(min(ago for ago, _ in each) == 0 and len(each) == 1 for each in log.values())
    day = Day(NOW + timedelta(days=days), max(1, days), MIDNIGHT, new_today)
    picks = plan_towards(day, QUESTIONS, known, NOW, Filter())
    recalls = [
        retrievability(known.cards[pick.question.id], day.at)
        for pick in picks
        if pick.why is Why.AT_RISK
    ]
    assert recalls == sorted(recalls)
    new = [pick for pick in picks if pick.why is Why.NEW]
    fresh = len(QUESTIONS) - len(log)
    assert len(new) * day.days_left < fresh + new_today + day.days_left
    if days <= 1:
        assert len(new) == fresh
    asked = {pick.question.id for pick in picks}
    assert len(asked) == len(picks)
    for name, card in known.cards.items():
        if known.answers[name].at >= MIDNIGHT:
            assert (name in asked) == (card.due <= NOW)
        else:
            assert (name in asked) == (retrievability(card, day.at) < TARGET)


@given(LOGS, st.integers(0, 60))
def test_expected_recall_is_the_mean_over_all_questions(
    log: dict[int, list[tuple[int, int]]], days: int
) -> None:
    """Topic by topic and over all, with 0 for what was never asked; it falls with time."""
    cards, at = history(log).cards, NOW + timedelta(days=days)
    topics = recall_by_topic(QUESTIONS, cards, at)
    assert [each.topic for each in topics] == ["t0", "t1", "t2"]
    assert sum(each.asked for each in topics) == len(log)
    expected = sum(retrievability(card, at) for card in cards.values()) / len(QUESTIONS)
    assert abs(overall(topics) - expected) < 1e-9
    later = recall_by_topic(QUESTIONS, cards, at + timedelta(days=1))
    assert all(b.recall <= a.recall for a, b in zip(topics, later, strict=True))


@given(st.sets(st.integers(0, 20)))
def test_a_streak_is_the_run_of_days_up_to_today(active: set[int]) -> None:
    """Today without an answer does not break it yet."""

    def activity(day: date) -> int:
        return int((TODAY - day).days in active)

    begin = 0 if 0 in active else 1
    expected = next(n for n in range(begin, 30) if n not in active) - begin
    assert streak(activity, TODAY) == expected


def test_verdicts_of_any_shape_are_read() -> None:
    """Giving up has no stages; a log may hold what nobody writes any more."""
    readings = '{"stages": [{"name": "cost", "readings": [{}]}]}'
    gave_up = '{"gave_up": true, "stages": []}'
    texts = ["{}", "[]", "not json", gave_up, '{"stages": [{"name": "cost"}]}', readings]
    attempts = [Attempt("x", NOW, True, (), text, 0) for text in texts]
    (one,) = achieved(attempts)
    assert (one.passed, one.attempts, one.costs, one.gave_up) == (True, 5, (), True)
