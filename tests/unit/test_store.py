"""The store keeps what it was given, and says what to do when it cannot."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep.errors import StoreError
from quizprep.store import (
    FILE_NAME,
    RECENT,
    VERSION,
    Answer,
    Attempt,
    Card,
    InterviewStep,
    Latest,
    Review,
    Store,
    default_home,
)
from quizprep.store.database import FORMATS
from tests.imports import ROOT

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANSWER = Answer("q", NOW, 7, "42", 1.0, 3, 0, 1.5, "s")
ANSWERS = st.builds(
    Answer,
    question=st.sampled_from(["a", "b", "c-d"]),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    seed=st.integers(0, 2**32),
    reply=st.text(st.characters(exclude_categories=["Cs"])),
    score=st.floats(0, 1),
    rating=st.integers(1, 4),
    hints=st.integers(0, 5),
    seconds=st.none() | st.floats(0, 1e6),
    session=st.text("0123456789abcdef", max_size=12),
)


def card(reviews: Sequence[Review]) -> Card:
    """A scheduler for the tests: due after as many days as there are reviews."""
    last = reviews[-1]
    due = last.at + timedelta(days=len(reviews))
    return Card(last.question, last.id, "test", due, f"state {len(reviews)}")


@given(st.lists(ANSWERS, max_size=6))
@settings(max_examples=25)
def test_reviews_come_back_as_they_were_given_and_cards_follow_them(answers: list[Answer]) -> None:
    """Round trip over a closed and reopened file, in order, for every field."""
    with TemporaryDirectory() as home:
        with Store.open(Path(home)) as store:
            recorded = [store.record_review(answer, card) for answer in answers]
        with Store.open(Path(home)) as store:
            assert store.reviews() == recorded
            for review, answer in zip(recorded, answers, strict=True):
                assert {f: getattr(review, f) for f in vars(answer)} == vars(answer)
            for question, last in store.cards().items():
                assert last == card(store.reviews(question))
            assert set(store.cards()) == {answer.question for answer in answers}
            for question, latest in store.latest().items():
                answered = [review for review in recorded if review.question == question]
                scores = tuple(review.score for review in answered[-RECENT:])
                assert latest == Latest(answered[-1].id, answered[-1].at, scores)
            assert set(store.latest()) == {answer.question for answer in answers}


def test_a_correction_wins_and_the_first_score_stays_on_record(tmp_path: Path) -> None:
    """The latest correction holds; the log of reviews itself is only appended to."""
    with Store.open(tmp_path) as store:
        review = store.record_review(ANSWER, card)
        store.correct_review(review, 0.5, 2, NOW, card)
        corrected = store.correct_review(review, 0.0, 1, NOW, card)
        assert corrected == replace(review, score=0.0, rating=1)
        assert store.reviews() == [corrected]
    rows = sqlite3.connect(tmp_path / FILE_NAME).execute("select score, rating from reviews")
    assert rows.fetchall() == [(1.0, 3)]


def test_an_answer_and_its_card_are_written_both_or_neither(tmp_path: Path) -> None:
    """When scheduling fails, nothing of the answer is kept and the store still works."""

    def broken(_: Sequence[Review]) -> Card:
        raise RuntimeError("scheduler")

    with Store.open(tmp_path) as store:
        with pytest.raises(RuntimeError):
            store.record_review(ANSWER, broken)
        assert store.reviews() == []
        store.record_review(ANSWER, card)
        assert len(store.reviews()) == 1


def test_attempts_carry_the_hints_shown_before_them(tmp_path: Path) -> None:
    """Hints count per exercise, and an attempt remembers how many there were."""
    with Store.open(tmp_path) as store:
        assert store.hints_shown("causal_mask") == 0
        assert store.show_hint("causal_mask", NOW) == 1
        assert store.show_hint("causal_mask", NOW) == 2
        assert store.show_hint("rope", NOW) == 1
        first = store.record_attempt("causal_mask", False, ["strict_mask"], '{"a": 1}', NOW)
        assert first == Attempt("causal_mask", NOW, False, ("strict_mask",), '{"a": 1}', 2)
        second = store.record_attempt("softmax", True, [], "{}", NOW)
        assert store.attempts() == [first, second]
        assert store.attempts("softmax") == [second]


def test_the_latest_mark_of_a_concept_holds_newest_first(tmp_path: Path) -> None:
    """Grading the same wrong kernel again replaces the reason and piles nothing up."""
    with Store.open(tmp_path) as store:
        store.bring_forward(["scaling", "causal-mask"], "first", NOW)
        store.bring_forward(["scaling"], "second", NOW + timedelta(minutes=1))
        marks = [(mark.concept, mark.reason) for mark in store.due_marks()]
        assert marks == [("scaling", "second"), ("causal-mask", "first")]


@given(st.lists(ANSWERS, min_size=1, max_size=8))
@settings(max_examples=25)
def test_fewer_answers_are_the_latest_of_more(answers: list[Answer]) -> None:
    """Whoever asks for one answer only is told of the same last answer, and its score."""
    with TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        for answer in answers:
            store.record_review(answer, card)
        several, one = store.latest(), store.latest(recent=1)
    assert one == {q: replace(each, scores=each.scores[-1:]) for q, each in several.items()}


@given(st.lists(ANSWERS, min_size=1, max_size=6), st.data())
@settings(max_examples=25)
def test_an_answer_that_is_taken_back_leaves_everything_as_it_was(
    answers: list[Answer], data: st.DataObject
) -> None:
    """All that is read is what it would be without the answer; its row stays in the log."""
    gone = data.draw(st.integers(0, len(answers) - 1))
    with TemporaryDirectory() as home, TemporaryDirectory() as other:
        with Store.open(Path(home)) as store:
            recorded = [store.record_review(answer, card) for answer in answers]
            store.correct_review(recorded[gone], 0.5, 2, NOW, card)
            store.void_review(recorded[gone], NOW, card)
            left = [review for review in recorded if review != recorded[gone]]
            assert store.reviews() == left
            assert store.last_review() == (left[-1] if left else None)
            assert {q: latest.review for q, latest in store.latest().items()} == {
                review.question: review.id for review in left
            }
            with Store.open(Path(other)) as without:
                for answer in [*answers[:gone], *answers[gone + 1 :]]:
                    without.record_review(answer, card)
                since = answers[0].at
                assert store.first_answers(since) == without.first_answers(since)
                cards = {q: (each.due, each.state) for q, each in store.cards().items()}
                assert cards == {q: (c.due, c.state) for q, c in without.cards().items()}
        sql = sqlite3.connect(Path(home) / FILE_NAME)
        assert sql.execute("select count(*) from reviews").fetchone() == (len(answers),)
        sql.close()


def test_a_correction_of_an_answer_taken_back_meanwhile_changes_nothing(tmp_path: Path) -> None:
    """Two processes may meet: a void wins over a later correction."""
    with Store.open(tmp_path) as store:
        review = store.record_review(ANSWER, card)
        store.void_review(review, NOW, card)
        store.correct_review(review, 0.0, 1, NOW, card)
        assert store.reviews() == []
        assert store.cards() == {}


def test_activity_counts_answers_and_gradings_by_time(tmp_path: Path) -> None:
    """From the start, the end left out."""
    with Store.open(tmp_path) as store:
        for hours in (0, 1, 2):
            store.record_review(replace(ANSWER, at=NOW + timedelta(hours=hours)), card)
        store.record_attempt("softmax", True, [], "{}", NOW + timedelta(hours=1))
        assert store.activity(NOW, NOW + timedelta(hours=2)) == 3
        assert store.activity(NOW + timedelta(hours=1), NOW + timedelta(days=1)) == 3


def test_the_latest_value_of_a_setting_holds(tmp_path: Path) -> None:
    """A setting is a log: unset is empty, an empty value clears."""
    with Store.open(tmp_path) as store:
        assert store.setting("interview") == ""
        store.set_setting("interview", "2026-12-01", NOW)
        store.set_setting("other", "x", NOW)
        assert store.setting("interview") == "2026-12-01"
        store.set_setting("interview", "", NOW)
        assert store.setting("interview") == ""


def test_an_interview_and_its_steps_come_back(tmp_path: Path) -> None:
    """Steps belong to their interview and keep their order."""
    with Store.open(tmp_path) as store:
        assert store.last_interview() is None
        first = store.begin_interview(7, "senior", 45, "a", NOW, "{1}")
        mock = store.begin_interview(8, "", 30, "b", NOW, "{2}")
        steps = [store.add_step(mock, 1.5 * n, f'{{"n": {n}}}', NOW) for n in range(3)]
        store.add_step(first, 0, "{}", NOW)
    with Store.open(tmp_path) as store:
        assert store.last_interview() == mock
        assert store.steps(mock) == [InterviewStep(NOW, 0, "{2}"), *steps]
        assert store.steps(first) == [InterviewStep(NOW, 0, "{1}"), InterviewStep(NOW, 0, "{}")]


def earlier_file(path: Path, version: int) -> None:
    """A file as an earlier quizprep wrote it, with an answer, its correction and its card."""
    sql = sqlite3.connect(path)
    for number in range(1, version + 1):
        sql.executescript(FORMATS[number])
    sql.executescript(
        f"pragma application_id = {0x717A7072}; pragma user_version = {version};"
        "insert into reviews values (1, 'q', '2026-11-24T12:00:00.000000+00:00', 7, '42', 1.0, 3,"
        " 0, 1.5, 's');"
        "insert into corrections values (1, 1, 0.5, 2, '2026-11-24T12:00:01.000000+00:00');"
        "insert into cards values ('q', 1, 'test', '2026-11-25T12:00:00.000000+00:00', 'state 1');"
    )
    sql.close()


@pytest.mark.parametrize("version", range(1, VERSION))
def test_an_earlier_file_is_brought_up_to_date(tmp_path: Path, version: int) -> None:
    """Nothing in it is lost, and it ends with the tables of a new file."""
    home, fresh = tmp_path / "home", tmp_path / "fresh"
    home.mkdir()
    earlier_file(home / FILE_NAME, version)
    with Store.open(home) as store:
        assert [(r.question, r.score, r.rating) for r in store.reviews()] == [("q", 0.5, 2)]
        assert store.cards()["q"].state == "state 1"
        store.set_setting("interview", "2026-12-01", NOW)
    Store.open(fresh).close()
    tables = "select name, sql from sqlite_master order by name"
    files = [sqlite3.connect(folder / FILE_NAME) for folder in (home, fresh)]
    one, other = (sql.execute(tables).fetchall() for sql in files)
    assert one == other
    assert [sql.execute("pragma user_version").fetchone() for sql in files] == [(VERSION,)] * 2


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """All of it is one transaction: a table in the way undoes the tables before it."""
    path = tmp_path / FILE_NAME
    earlier_file(path, 1)
    sql = sqlite3.connect(path)
    sql.execute("create table mock_steps (a)")
    before = sql.execute("select name from sqlite_master").fetchall()
    with pytest.raises(StoreError):
        Store.open(tmp_path)
    assert sql.execute("select name from sqlite_master").fetchall() == before
    assert sql.execute("pragma user_version").fetchone() == (1,)
    sql.close()


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A file of a later format is not touched, and the message names both formats."""
    Store.open(tmp_path).close()
    path = tmp_path / FILE_NAME
    with sqlite3.connect(path) as sql:
        sql.execute(f"pragma user_version = {VERSION + 1}")
    sql.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=f"format {VERSION + 1}"):
        Store.open(tmp_path)
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Tables that are not ours are never written beside."""
    path = tmp_path / FILE_NAME
    with sqlite3.connect(path) as sql:
        sql.execute("create table cookies (a)")
    sql.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store.open(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["text", "head", "middle"])
def test_a_damaged_file_is_named_and_never_moved(tmp_path: Path, damage: str) -> None:
    """The error names the file and the command that moves it; we move nothing ourselves."""
    with Store.open(tmp_path) as store:
        for _ in range(300):
            store.record_review(replace(ANSWER, reply="x" * 200), card)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    broken = {
        "text": b"not a database at all" * 100,
        "head": b"\0" * 100 + whole[100:],
        "middle": whole[:100] + b"\xff" * (len(whole) - 100),
    }[damage]
    path.write_bytes(broken)
    with pytest.raises(StoreError) as caught, Store.open(tmp_path) as store:
        store.reviews()
    assert str(path) in caught.value.message
    assert "mv " in (caught.value.hint or "")
    assert path.read_bytes() == broken


def test_a_home_that_cannot_be_made_says_to_choose_another(tmp_path: Path) -> None:
    """A file where the folder should be, and a system folder, are clear errors."""
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "home", Path("/proc/quizprep")):
        with pytest.raises(StoreError) as caught:
            Store.open(home)
        assert "QUIZPREP_HOME" in (caught.value.hint or "")


_AS_NOBODY = """
import os, sys
from pathlib import Path
import quizprep.store as s
from quizprep.errors import StoreError
import sqlite3, datetime
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    s.Store.open(Path(sys.argv[1]))
except StoreError as error:
    print(error.message, error.hint)
"""


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_read_only_home_is_found_before_the_first_answer(what: str) -> None:
    """A user who may not write gets one clear message when the store is opened."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        Store.open(home).close()
        (home / FILE_NAME).chmod(0o444)
        home.chmod(0o555 if what == "folder" else 0o777)
        done = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, str(home)],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        home.chmod(0o755)
    assert "cannot be written" in done.stdout, done.stderr
    assert "QUIZPREP_HOME" in done.stdout


_FILL = """
import resource, signal, sys
from pathlib import Path
from quizprep.errors import StoreError
from quizprep.store import Store
from tests.unit.test_store import ANSWER, card
from dataclasses import replace
store = Store.open(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
kept = 0
try:
    while True:
        store.record_review(replace(ANSWER, reply="x" * 3000), card)
        kept += 1
except StoreError as error:
    print(kept, error.message)
"""


def test_a_full_disk_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """When no more can be written there is one clear error, and all earlier answers are there."""
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    kept, _, message = done.stdout.partition(" ")
    assert FILE_NAME in message, done.stderr
    with Store.open(tmp_path) as store:
        assert len(store.reviews()) == int(kept) > 10


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Two processes' worth of answers to one file, from the very first opening, all arrive."""

    def work(name: str) -> None:
        with Store.open(tmp_path) as store:
            for _ in range(20):
                store.record_review(replace(ANSWER, session=name), card)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store.open(tmp_path) as store:
        reviews = store.reviews()
        assert {n: sum(r.session == n for r in reviews) for n in "abc"} == dict.fromkeys("abc", 20)
        assert store.cards()["q"].state == "state 60"


def test_the_home_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """QUIZPREP_HOME moves everything; without it there is a folder of the platform's choice."""
    monkeypatch.setenv("QUIZPREP_HOME", "~/elsewhere")
    assert default_home() == Path.home() / "elsewhere"
    monkeypatch.delenv("QUIZPREP_HOME")
    assert default_home().name == "quizprep"
