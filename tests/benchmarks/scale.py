"""A learner after years: ten thousand questions, a million answers, made in seconds."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from quizprep.quiz.scheduling import reschedule
from quizprep.store import FILE_NAME, Answer, Review, Store

QUESTIONS = 10_000
REVIEWS = 1_000_000
BANKS = 50

_QUESTION = """\
  - id: {id}
    kind: choice
    level: {level}
    concepts: [scaling]
    ask: Which of these is number {number}?
    options:
      - text: This one, of size {number}.
        right: true
      - text: That one.
        says: It is another one.
      - text: Neither of them.
        says: One of them is.
    why: It says so.
    sources: [vaswani2017]
"""


def banks(folder: Path) -> Path:
    """A folder of banks that hold all the questions between them."""
    folder.mkdir()
    each = QUESTIONS // BANKS
    for number in range(BANKS):
        topic = f"topic-{number}"
        questions = "".join(
            _QUESTION.format(
                id=_id(number * each + place),
                number=place,
                level=("junior", "senior", "staff")[place % 3],
            )
            for place in range(each)
        )
        head = f"format: 1\ntopic: {topic}\ntitle: {topic}\ntemplate: Say it.\nquestions:\n"
        (folder / f"{topic}.yaml").write_text(head + questions)
    return folder


def _id(number: int) -> str:
    return f"question-{number:05d}"


def history(home: Path) -> None:
    """A store in which every question was answered a hundred times, and half of them are due."""
    Store.open(home).close()
    sql = sqlite3.connect(home / FILE_NAME, isolation_level=None)
    sql.execute("begin")
    # Filled in at the end an index takes a fraction of the time.
    (index,) = sql.execute("select sql from sqlite_master where name = 'reviews_by_question'")
    sql.execute("drop index reviews_by_question")
    now = datetime.now(UTC)
    rows = (
        (
            _id(number % QUESTIONS),
            (now - timedelta(minutes=REVIEWS - number)).isoformat(timespec="microseconds"),
        )
        for number in range(REVIEWS)
    )
    while some := list(islice(rows, 50_000)):
        sql.executemany(
            "insert into reviews (question, at, seed, reply, score, rating, hints, seconds,"
            " session) values (?, ?, 1, 'b', 1.0, 3, 0, 20.0, 's')",
            some,
        )
    sql.execute(index[0])
    answer = Answer(_id(0), now - timedelta(days=3), 1, "b", 1.0, 3, 0, 20.0, "s")
    card = reschedule([Review(**vars(answer), id=1)])
    assert json.loads(card.state)
    sql.executemany(
        "insert into cards values (?, ?, ?, ?, ?)",
        (
            (
                _id(number),
                REVIEWS - QUESTIONS + number + 1,
                card.scheduler,
                (now + timedelta(days=1 - number % 2 * 2)).isoformat(timespec="microseconds"),
                card.state,
            )
            for number in range(QUESTIONS)
        ),
    )
    sql.execute("commit")
    sql.close()
