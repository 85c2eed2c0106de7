"""`quizprep mock`: it goes on after any interruption, and the clock marks nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from quizprep.quiz.interview import Asked, Begun, Coded, Ended, Paused, Step, read
from quizprep.store import FILE_NAME, Store
from tests.cli.practice import NOW, content, run
from tests.cli.test_ask import Person
from tests.imports import ROOT

MOCK = ["mock", "--seed", "1", "--bank", "interview"]
REPLIES = ["It keeps keys and values.", "The variance grows.", "0"]
"""To the two openings of that seed and to the follow-up."""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A folder with the content of an interview, and nobody's history."""
    content(tmp_path)
    return tmp_path


def steps(room: Path) -> list[Step]:
    """What happened in the latest interview."""
    with Store.open(room / "home") as store:
        mock = store.last_interview()
        assert mock is not None
        return [read(step.step) for step in store.steps(mock)]


def asked(room: Path) -> list[str]:
    return [step.question for step in steps(room) if isinstance(step, Asked)]


def test_an_interview_ends_with_its_debrief_and_its_answers_are_reviews(room: Path) -> None:
    """Answers are scheduled like any other; what the learner corrects holds."""
    done = run(room, *MOCK, replies="\n".join([*REPLIES, "b", "", ""]))
    assert done.returncode == 0, done.stderr
    assert "Summary" in done.stdout
    assert isinstance(steps(room)[-1], Ended)
    with Store.open(room / "home") as store:
        reviews = store.reviews()
        assert [review.question for review in reviews] == asked(room)
        assert [review.score for review in reviews] == [1.0, 0.5, 1.0]
        assert set(store.cards()) == set(asked(room))


@pytest.mark.parametrize("answers", range(4))
def test_an_interview_goes_on_after_any_way_out(answers: int, room: Path) -> None:
    """The end of input after any answer: nothing is asked twice, and the end is the same."""
    left = run(room, *MOCK, replies="".join(f"{reply}\n" for reply in REPLIES[:answers]))
    assert left.returncode == 0
    if answers < len(REPLIES):
        assert "goes on from here" in left.stdout
        assert isinstance(steps(room)[-1], Paused)
    rest = "\n".join([*REPLIES[answers:], "", "", ""])
    done = run(room, "mock", "--bank", "interview", replies=rest)
    if answers < len(REPLIES):
        assert "Going on with the interview of 24 November" in done.stdout
        assert asked(room) == ["why-cache", "why-scale", "saturated-gradient"]
        assert isinstance(steps(room)[-1], Ended)


@pytest.mark.parametrize("answers", range(1, 4))
def test_a_kill_loses_no_answer(answers: int, room: Path) -> None:
    """SIGKILL when the next prompt is seen: all before is kept and not asked again."""
    launch = [sys.executable, "-m", "tests.cli.frozen", NOW.isoformat(), str(room / "content")]
    env = {
        **os.environ, "QUIZPREP_HOME": str(room / "home"), "PYTHONPATH": str(ROOT), "EDITOR": "",
        "VISUAL": "",
    }  # fmt: skip
    with subprocess.Popen(
        [*launch, *MOCK], cwd=room, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        seen = b""
        for number in range(answers + 1):
            while seen.count(b"\n> ") <= number:
                piece = os.read(process.stdout.fileno(), 65536)
                assert piece, seen.decode()
                seen += piece
            if number < answers:
                process.stdin.write(f"{REPLIES[number]}\n".encode())
                process.stdin.flush()
        process.send_signal(signal.SIGKILL)
    assert len(asked(room)) == answers
    done = run(room, "mock", "--bank", "interview", replies="\n".join([*REPLIES[answers:], "\n"]))
    assert "Summary" in done.stdout
    assert asked(room) == ["why-cache", "why-scale", "saturated-gradient"]


def test_an_answer_whose_step_was_lost_is_not_asked_for_again(room: Path) -> None:
    """A kill may come between the answer and its step: the answer tells that it was given."""
    run(room, *MOCK, replies=f"{REPLIES[0]}\n")
    sql = sqlite3.connect(room / "home" / FILE_NAME)
    sql.execute("delete from mock_steps where step like '%asked%'")
    sql.commit()
    sql.close()
    shown = run(room, "mock", "--bank", "interview", replies="q\n").stdout
    assert "Question: scale" in shown
    assert "Question: cache" not in shown
    with Store.open(room / "home") as store:
        assert len(store.reviews()) == 1
    assert asked(room) == ["why-cache"]


def test_another_interview_can_be_begun(room: Path) -> None:
    """--new leaves the unfinished one; a finished one is not gone on with."""
    run(room, *MOCK, replies="s\nq\n")
    assert "Going on" not in run(room, *MOCK, "--new", replies="q\n").stdout
    run(room, "mock", "--bank", "interview", replies="s\ns\ns\ns\ns\n\n\n\n")
    assert isinstance(steps(room)[-1], Ended)
    assert "Going on" not in run(room, *MOCK, replies="q\n").stdout


def test_when_time_is_up_nothing_more_is_asked_and_no_mark_changes(room: Path) -> None:
    """Four minutes from look to look: the debrief comes after the second answer, with its marks."""
    replies = "\n".join([*REPLIES, "", "", ""])
    done = run(room, *MOCK, "--minutes", "15", replies=replies, FROZEN_STEP="150")
    assert "Time is up." in done.stdout
    assert 0 < len(asked(room)) < 3
    with Store.open(room / "home") as store:
        assert [review.score for review in store.reviews()] == [0.5, 0.5][: len(asked(room))]
        assert all(review.seconds is None for review in store.reviews())


def test_the_time_away_does_not_count(room: Path) -> None:
    """What was spent is the sum of the steps; leaving and coming back adds nothing."""
    for _ in range(3):
        run(room, "mock", "--bank", "interview", "--minutes", "60", replies="q\n", FROZEN_STEP="60")
    with Store.open(room / "home") as store:
        mock = store.last_interview()
        assert mock is not None
        rows = store.steps(mock)
    assert all(isinstance(read(row.step), Begun | Paused) for row in rows)
    shown = " ".join(run(room, "mock", "--bank", "interview", replies="q\n").stdout.split())
    assert f"{round(sum(row.seconds for row in rows) / 60)} of 60 minutes used" in shown


def test_a_question_that_is_skipped_is_no_answer(room: Path) -> None:
    """Nothing is stored or marked; the debrief shows the good answer, and it is practised."""
    done = run(room, *MOCK, replies="s\ns\ns\ns\n")
    shown = " ".join(done.stdout.split())
    with Store.open(room / "home") as store:
        assert store.reviews() == []
    assert "Not right" not in shown
    assert shown.count("You skipped it.") == len(asked(room))
    assert "60 seconds on" in shown
    assert "Practise: quizprep ask" in shown


def test_a_question_mark_is_no_answer(room: Path) -> None:
    """It is said that an interview gives no hints, and the same question waits."""
    done = run(room, *MOCK, replies="\n".join(["?", REPLIES[0], "?", *REPLIES[1:], "", "", ""]))
    assert done.stdout.count("There are no hints in an interview") == 2
    with Store.open(room / "home") as store:
        assert [review.reply for review in store.reviews()] == REPLIES


def test_the_debrief_says_each_point_once(room: Path) -> None:
    """What was missed stands in what was heard; titles stand for ids."""
    done = run(room, *MOCK, replies="\n".join([*REPLIES, "b", "", "", ""]))
    debrief = " ".join(done.stdout.partition("Debrief")[2].split())
    assert debrief.count("Large scores saturate the softmax.") == 1
    assert "Went well: How many bytes a cache takes." in debrief


def test_invalid_is_not_wrong(room: Path) -> None:
    """A number that cannot be read is asked for again and is no answer."""
    done = run(room, *MOCK, replies="\n".join([*REPLIES[:2], "zero?", "0", "", ""]))
    assert "does not begin with a number" in " ".join(done.stdout.split())
    with Store.open(room / "home") as store:
        assert [review.reply for review in store.reviews()] == REPLIES


def test_a_step_that_cannot_be_read_is_a_clear_error(room: Path) -> None:
    """A store from elsewhere says what to do, and --new does it."""
    run(room, *MOCK, replies="q\n")
    sql = sqlite3.connect(room / "home" / FILE_NAME)
    sql.execute("update mock_steps set step = '{}'")
    sql.commit()
    sql.close()
    done = run(room, *MOCK)
    assert done.returncode == 1
    assert "quizprep mock --new" in done.stderr
    assert run(room, *MOCK, "--new", replies="q\n").returncode == 0


@pytest.mark.parametrize(
    "arguments", [["--minutes", "1"], ["--level", "guru"], ["--level", "staff"]]
)
def test_what_cannot_be_held_is_a_usage_error(arguments: list[str], room: Path) -> None:
    """Exit code 2 with a message; no interview is begun."""
    done = run(room, *MOCK, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    with Store.open(room / "home") as store:
        assert store.last_interview() is None


def test_leaving_with_ctrl_c_keeps_the_interview(room: Path) -> None:
    """At a terminal Ctrl-C ends with exit code 0 and a paused interview."""
    person = Person(room / "home", program="mock", bank=room / "interview", EDITOR="")
    person.until("> ")
    person.until_asleep()
    person.type("\x03")
    assert person.leave() == 0
    assert "goes on from here" in person.seen
    assert isinstance(steps(room)[-1], Paused)


# --- the kernel ----------------------------------------------------------------------------

EDITOR = """\
#!{python}
import shutil, sys
from pathlib import Path
answers = Path({folder!r})
count = len(list(answers.glob("seen*")))
(answers / f"seen{{count}}").touch()
source = answers / ["wrong.py", "right.py"][min(count, 1)]
shutil.copy(source, sys.argv[-1])
"""


def test_the_kernel_is_edited_graded_and_edited_again(room: Path) -> None:
    """A wrong kernel is named and can be mended; the one that passes is recorded as an attempt."""
    shutil.rmtree(room / "interview" / "exercises")
    shutil.copytree(ROOT / "exercises" / "softmax", room / "interview" / "exercises" / "softmax")
    (room / "interview" / "solutions").mkdir()
    right = (ROOT / "solutions" / "softmax.py").read_text()
    (room / "interview" / "solutions" / "softmax.py").write_text(right)
    (room / "right.py").write_text(right)
    (room / "wrong.py").write_text(right.replace("x - top", "x"))
    editor = room / "an editor"
    editor.write_text(EDITOR.format(python=sys.executable, folder=str(room)))
    editor.chmod(0o755)
    done = run(
        room,
        *MOCK,
        replies="s\ns\ns\n\n\n\n\n",
        EDITOR=f"'{editor}' --wait",
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert "no_max_subtraction" in done.stdout
    assert "softmax: passed" in done.stdout
    assert re.search(r'Went well: the kernel "A stable softmax"', " ".join(done.stdout.split()))
    (coded,) = [step for step in steps(room) if isinstance(step, Coded)]
    assert (coded.exercise, coded.passed) == ("softmax", True)
    with Store.open(room / "home") as store:
        attempts = store.attempts("softmax")
        assert [attempt.passed for attempt in attempts] == [False, True]
        assert json.loads(attempts[1].verdict_json)["passed"]


@pytest.mark.parametrize("editor", ["/nowhere/editor", "false", "'unclosed"])
def test_an_editor_that_does_not_run_grades_nothing(editor: str, room: Path) -> None:
    """It is said, and the learner can go on."""
    done = run(room, *MOCK, replies="s\ns\ns\n\ns\n", EDITOR=editor)
    assert done.returncode == 0, done.stderr
    assert "EDITOR" in done.stdout or "nothing was graded" in done.stdout
    with Store.open(room / "home") as store:
        assert store.attempts() == []
