"""The screens around the questions, as a learner with a history meets them."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.quiz.scheduling import reschedule
from quizprep.store import FILE_NAME, Answer, Store
from tests.cli.practice import NOW, SCREENS, WIDTHS, content, live, run, screen, screen_file
from tests.cli.program import Program
from tests.cli.test_ask import Person
from tests.conftest import Golden
from tests.imports import ROOT, assert_not_imported
from tests.unit.test_imports import HEAVY


@pytest.fixture
def learner(tmp_path: Path) -> Path:
    """A folder with the home of a learner, and content."""
    content(tmp_path)
    live(tmp_path / "home", "learner")
    return tmp_path


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_what_it_was(name: str, width: int, golden: Golden, tmp_path: Path) -> None:
    """To the letter, at 60 and at 80 columns, with its exit code, and within the width."""
    shown = screen(name, width, tmp_path)
    golden(screen_file(name, width), shown)
    if not name.endswith("json"):
        assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("arguments", [[], ["progress"], ["undo"]])
def test_a_terminal_of_forty_columns_is_enough(arguments: list[str], learner: Path) -> None:
    """Nothing is wider than the terminal, and nothing breaks."""
    done = run(learner, *arguments, width=40)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 40


@pytest.mark.parametrize("arguments", [[], ["progress"]])
def test_a_locale_without_unicode_is_enough(arguments: list[str], learner: Path) -> None:
    """The calendar and the bars are drawn with signs that every terminal has."""
    settings = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = run(learner, *arguments, **settings)
    assert done.returncode == 0, done.stderr
    body = [line for line in done.stdout.splitlines() if not line.startswith("?")]
    assert "?" not in "".join(body)


@pytest.mark.parametrize("arguments", [[], ["progress"], ["undo"], ["--help"]])
def test_the_screens_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    """Neither torch nor rich: a glance at the day takes no time."""
    with Store.open(tmp_path / "home") as store:
        store.set_setting("other", "", NOW)
    live(tmp_path / "home", "learner")
    env = {"QUIZPREP_HOME": str(tmp_path / "home")}
    assert_not_imported(arguments, HEAVY, tmp_path, env=env)


def test_help_reads_no_content(tmp_path: Path) -> None:
    """--help shows the table of commands and nothing that has to be looked up."""
    assert_not_imported(["--help"], {"sqlite3", "msgspec", "yaml", "fsrs"}, tmp_path)


# --- the day of the interview --------------------------------------------------------------


def test_the_day_is_remembered_until_none_is_given(learner: Path) -> None:
    """`progress --date` sets it, `ask` and today use it, `none` forgets it."""
    run(learner, "progress", "--date", "2026-12-06")
    assert "Interview: Sunday 6 December, in 12 days." in run(learner).stdout
    assert "Interview on Sunday 6 December" in run(learner, "ask", replies="q\n").stdout
    assert json.loads(run(learner, "progress", "--json").stdout)["interview"] == "2026-12-06"
    run(learner, "ask", "--date", "none", replies="q\n")
    assert "Interview" not in run(learner).stdout
    assert json.loads(run(learner, "progress", "--json").stdout)["interview"] is None


def test_a_day_that_passed_is_no_longer_planned_for(learner: Path) -> None:
    """What was remembered is only used while it lies ahead."""
    with Store.open(learner / "home") as store:
        store.set_setting("interview", "2026-11-23", NOW)
    assert "Interview" not in run(learner).stdout
    assert json.loads(run(learner, "progress", "--json").stdout)["date"] == "2026-11-24"


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["progress", "--date", "6 December"], "Write YYYY-MM-DD"),
        (["progress", "--date", "2026-02-30"], "Write YYYY-MM-DD"),
        (["ask", "--date", "2026-11-23"], "has passed"),
        (["ask", "--date", "2026-12-06", "--due"], "Leave out --due"),
    ],
)
def test_a_day_that_makes_no_sense_is_a_usage_error(
    arguments: list[str], phrase: str, learner: Path
) -> None:
    """Exit code 2, what to write instead, and nothing is remembered."""
    done = run(learner, *arguments)
    assert done.returncode == 2
    assert phrase in done.stderr
    assert "Interview" not in run(learner).stdout


def test_new_questions_are_spread_over_the_days_that_are_left(tmp_path: Path) -> None:
    """Eight new ones and four days: two a day, and no more once they were answered."""
    content(tmp_path)
    day = (NOW + timedelta(days=4)).date().isoformat()
    first = run(tmp_path, "ask", "--date", day, "--seed", "3", replies="b\nb d\n").stdout
    assert "2 questions for today" in " ".join(first.split())
    assert "2 of 2 right" in first
    assert "nothing more for today" in " ".join(run(tmp_path, "ask").stdout.split())
    # Word of the summary is not cut short by a round that is empty.
    assert "Recall expected on" in run(tmp_path, "ask").stdout


def test_today_offers_the_plan_for_the_day(tmp_path: Path) -> None:
    """With a day set, today says how many questions are planned, and leads to them."""
    content(tmp_path)
    day = (NOW + timedelta(days=4)).date().isoformat()
    run(tmp_path, "progress", "--date", day)
    shown = run(tmp_path).stdout
    assert "Planned for today: 2 questions." in shown
    assert shown.endswith("Type next:  quizprep ask\n")
    run(tmp_path, "ask", "--seed", "3", replies="b\nb d\n")
    shown = run(tmp_path).stdout
    assert "Today's plan is done." in shown
    assert not shown.endswith("Type next:  quizprep ask\n")


def test_today_offers_an_unfinished_interview(tmp_path: Path) -> None:
    """Until it has its debrief."""
    content(tmp_path)
    mock = ["mock", "--bank", "interview"]
    run(tmp_path, *mock, replies="q\n")
    assert "An interview is unfinished" in run(tmp_path).stdout
    run(tmp_path, *mock, replies="s\n" * 9)
    assert "An interview is unfinished" not in run(tmp_path).stdout


def test_what_is_due_is_counted_in_questions_and_in_topics(
    quizprep: Program, tmp_path: Path
) -> None:
    """Three topics are named with their numbers; of the others both are said."""
    banks = Library(shipped_root()).banks
    with Store.open(tmp_path / "home") as store:
        for topic in list(banks)[:5]:
            for question in banks[topic].questions[:2]:
                answer = Answer(question.id, NOW - timedelta(days=900), 1, "", 1, 3, 0, None, "s")
                store.record_review(answer, reschedule)
    shown = " ".join(quizprep(width=200).stdout.split())
    assert "Due: 10 questions (" in shown
    assert "2 and 4 more in 2 topics)." in shown


@pytest.mark.parametrize("arguments", [[], ["progress"]])
def test_screens_name_the_same_next_step(arguments: list[str], learner: Path) -> None:
    """Due questions first."""
    assert run(learner, *arguments).stdout.endswith("Type next:  quizprep ask --due\n")


# --- what is weak --------------------------------------------------------------------------


def test_the_commands_agree_on_what_is_weak(tmp_path: Path) -> None:
    """One right answer after three misses: today, progress and the sheet all still show it."""
    content(tmp_path)
    with Store.open(tmp_path / "home") as store:
        for days, score in [(4, 0.0), (3, 0.0), (2, 0.0), (1, 1.0)]:
            at = NOW - timedelta(days=days)
            answer = Answer("mask-value", at, 1, "a reply", score, 3, 0, None, "s")
            store.record_review(answer, reschedule)
    (weak,) = json.loads(run(tmp_path, "progress", "--json").stdout)["weak"]
    assert weak["score"] == 0.25
    assert f"{weak['title']} (25%)" in run(tmp_path).stdout
    sheet = run(tmp_path, "sheet", "--weak", "--format", "md", "-o", "-").stdout
    assert "Right 1 of the last 4 times" in sheet


# --- taking back ---------------------------------------------------------------------------


def test_undo_goes_back_one_answer_at_a_time(learner: Path) -> None:
    """Each call voids one more; the log keeps every row, and the cards follow it."""
    with Store.open(learner / "home") as store:
        before = store.reviews()
    for left in range(len(before) - 1, -1, -1):
        assert run(learner, "undo").returncode == 0
        with Store.open(learner / "home") as store:
            reviews = store.reviews()
            assert reviews == before[:left]
            assert store.cards() == {
                question: reschedule(store.reviews(question))
                for question in {review.question for review in reviews}
            }
    assert run(learner, "undo").returncode == 1
    sql = sqlite3.connect(learner / "home" / FILE_NAME)
    assert sql.execute("select count(*) from reviews").fetchone() == (len(before),)
    sql.close()


def test_a_key_takes_the_last_answer_of_a_round_back(tmp_path: Path) -> None:
    """Back over what was skipped; the question comes again, only its second answer counts."""
    content(tmp_path)
    replies = "u\nc\ns\nu\nb\nb d\n"
    done = run(tmp_path, "ask", "--seed", "3", "-n", "2", replies=replies)
    assert "No answer of this round is left to take back" in " ".join(done.stdout.split())
    run(tmp_path, "undo")
    run(tmp_path, "undo")
    done = run(tmp_path, "ask", "--seed", "3", "-n", "3", replies=f"{replies}c b d a\n")
    assert "3 of 3 right" in done.stdout
    assert "skipped." not in done.stdout.partition("Summary")[2]
    with Store.open(tmp_path / "home") as store:
        assert [review.score for review in store.reviews()] == [1, 1, 1]


def test_u_is_a_reply_where_it_may_be_one(tmp_path: Path) -> None:
    """A symbol called u is an answer; :u is the key."""
    root = content(tmp_path)
    bank = root / "questions" / "sample.yaml"
    text = bank.read_text().replace("{n: tokens, w: window, d: head size}", "{u: tokens}")
    text = text.replace("    where: [w <= n]\n", "").replace("answer: n * w * d", "answer: u")
    bank.write_text(text.replace("gives: n * w,", "gives: u * u,"))
    done = run(tmp_path, "ask", "--kind", "growth", replies=":u\nu\n")
    assert "to take back" in done.stdout
    assert "1 of 1 right" in done.stdout


def test_one_keystroke_after_the_mark_takes_the_answer_back(tmp_path: Path) -> None:
    """At a terminal u works where an answer is rated, even after the last question."""
    person = Person(tmp_path, "-n", "1")
    person.until("> ")
    person.type("a\n")
    person.until_rating()
    person.type("u")
    if "q leave" not in person.until("asked again").partition("asked again")[2]:
        person.until("q leave")
    person.type("b\n")
    person.until_rating()
    person.type("\r")
    assert person.leave() == 0
    assert "1 of 1 right" in person.seen
    with Store.open(tmp_path) as store:
        assert [review.score for review in store.reviews()] == [1.0]


def test_the_calendar_begins_on_a_monday_and_ends_today() -> None:
    """Every day of the weeks that fit is shown once, today last, for any width."""
    from quizprep.cli.charts import first_day, heatmap, weeks_that_fit

    for width in (20, 60, 88):
        for weekday in range(7):
            today = date(2026, 11, 23) + timedelta(days=weekday)
            weeks = weeks_that_fit(width)
            seen: list[date] = []

            def noted(day: date, seen: list[date] = seen) -> int:
                seen.append(day)
                return 0

            lines = heatmap(noted, today, weeks, shades=False)
            assert sorted(seen) == [
                first_day(today, weeks) + timedelta(days=place)
                for place in range(7 * (weeks - 1) + weekday + 1)
            ]
            assert max(seen) == today
            assert all(len(line) <= width for line in lines[:-1])


def test_no_golden_screen_is_left_over() -> None:
    """Every kept screen is one that is tested."""
    kept = {path.name for path in (ROOT / "tests" / "golden" / "practice").glob("*.txt")}
    assert kept == {screen_file(name, width).name for name in SCREENS for width in WIDTHS}
