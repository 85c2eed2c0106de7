"""The log goes out as JSON lines and comes back once, whatever is there already."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.errors import UsageError
from quizprep.store import Answer, Store
from quizprep.store.transfer import TABLES, export_log, import_log
from tests.unit.test_store import ANSWER, ANSWERS, NOW, card


def fill(store: Store, answers: list[Answer]) -> None:
    """A row in every table, and these answers."""
    for answer in answers:
        review = store.record_review(answer, card)
    store.correct_review(review, 0.5, 2, NOW, card)
    store.void_review(review, NOW, card)
    store.show_hint("rope", NOW)
    store.record_attempt("rope", False, ["swapped"], '{"a": "ü"}', NOW)
    store.reset_exercise("softmax", NOW)
    store.bring_forward(["scaling"], "A reason.", NOW)
    store.set_setting("interview", "2026-12-01", NOW)
    store.bookmark("q", "a note", NOW)
    store.add_step(store.begin_interview(7, "senior", 45, "s", NOW, "{}"), 1.5, "{1}", NOW)


def exported(home: Path) -> list[str]:
    with Store.open(home) as store:
        return list(export_log(store))


@given(st.lists(ANSWERS, min_size=1, max_size=5))
@settings(max_examples=20)
def test_a_log_comes_back_as_it_was_and_only_once(answers: list[Answer]) -> None:
    """Every table, in order, to the line; a second import finds nothing new."""
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        with Store.open(Path(one)) as store:
            fill(store, answers)
            reviews = store.reviews()
        lines = exported(Path(one))
        assert {json.loads(line)["table"] for line in lines[1:]} == set(TABLES)
        with Store.open(Path(other)) as store:
            assert import_log(store, lines).total() == len(lines) - 1
            assert store.reviews() == reviews
            assert import_log(store, lines).total() == 0
        assert exported(Path(other)) == lines


def test_two_histories_become_one_in_the_order_of_time(tmp_path: Path) -> None:
    """The last answer of either machine is the last; both machines end with the same log."""
    for name, hours in (("one", (0, 2)), ("other", (1, 3))):
        with Store.open(tmp_path / name) as store:
            for hour in hours:
                answer = Answer("q", NOW + timedelta(hours=hour), 1, name, 1.0, 3, 0, None, name)
                review = store.record_review(answer, card)
            store.correct_review(review, 0.25, 1, NOW + timedelta(hours=hour), card)
    first, second = exported(tmp_path / "one"), exported(tmp_path / "other")
    for name, lines in (("one", second), ("other", first)):
        with Store.open(tmp_path / name) as store:
            assert import_log(store, lines)["reviews"] == 2
            assert [r.reply for r in store.reviews()] == ["one", "other", "one", "other"]
            assert [r.score for r in store.reviews()] == [1.0, 1.0, 0.25, 0.25]
            assert store.latest()["q"].scores == (1.0, 1.0, 0.25, 0.25)
            assert store.cards() == {}  # computed again from the log


def test_equal_rows_are_as_many_as_in_the_file(tmp_path: Path) -> None:
    """Two answers that agree in everything are two, and stay two."""
    with Store.open(tmp_path / "one") as store:
        for _ in range(2):
            store.record_review(ANSWER, card)
    lines = exported(tmp_path / "one")
    with Store.open(tmp_path / "other") as store:
        for expected in (2, 0):
            assert import_log(store, lines)["reviews"] == expected
        assert len(store.reviews()) == 2


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "rating is none": lambda row: row.update(rating=9),
    "score is not between": lambda row: row.update(score=2),
    "score is too large": lambda row: row.update(score=float("nan")),
    "seed is too large": lambda row: row.update(seed=2**64),
    "seed is no integer": lambda row: row.update(seed=True),
    "reply is no text": lambda row: row.pop("reply"),
    "surrogates": lambda row: row.update(reply="\ud800"),
    "no time zone": lambda row: row.update(at="2026-11-24T12:00:00"),
    "out of range": lambda row: row.update(at="0001-01-01T00:00:00+14:00"),
    "no table": lambda row: row.update(table=["cards"]),
    "id is no integer": lambda row: row.update(id=None),
}


@pytest.mark.parametrize("says", DAMAGES)
def test_a_damaged_line_is_named_and_nothing_imported(says: str, tmp_path: Path) -> None:
    """Line 3 is wrong: the rows before and after it are not taken either."""
    with Store.open(tmp_path / "one") as store:
        for _ in range(3):
            store.record_review(ANSWER, card)
    lines = exported(tmp_path / "one")
    row = json.loads(lines[2])
    DAMAGES[says](row)
    lines[2] = json.dumps(row)
    with Store.open(tmp_path / "other") as store:
        with pytest.raises(UsageError, match=says) as caught:
            import_log(store, lines)
        assert caught.value.message.startswith("Line 3 ")
        assert store.reviews() == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "empty"),
        (["{"], "Line 1"),
        (["[" * 100_000], "Line 1"),
        (['{"quizprep": "log", "format": 99}'], "upgrade"),
        (['{"format": 1}'], "first line"),
        (
            [
                '{"quizprep": "log", "format": 1}',
                '{"table": "voids", "id": 1, "review": 7, "at": "2026-11-24T12:00:00+00:00"}',
            ],
            "no review 7",
        ),
    ],
)
def test_another_file_is_refused(lines: list[str], says: str, tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, pytest.raises(UsageError, match=says):
        import_log(store, lines)
