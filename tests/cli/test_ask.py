"""`quizprep ask` as a person and a pipe meet it: the real command, in a process of its own."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quizprep.store import FILE_NAME, Store
from tests.cli.program import BANK, COMMAND, environment, run
from tests.conftest import Golden
from tests.imports import ROOT

ASK = [*COMMAND, "ask", "--bank", str(BANK), "--seed", "3"]
ROUNDS = sorted(BANK.parent.glob("*.replies"))
REPLIES = ["b", "b d", "a b c d", "zero", "128 KiB", "n w", "[1]", "The variance grows with d."]
"""A valid reply to each of the eight questions, with the seed of the cases."""
QUESTIONS = ["scale-variance", "cached-tensors", "softmax-steps", "mask-value", "token-bytes",
             "window-growth", "mask-code", "why-scale"]  # fmt: skip


def run_ask(
    args: list[str], replies: str, home: Path, width: int = 60
) -> subprocess.CompletedProcess[str]:
    """``quizprep ask`` on the tests' bank, with a fixed seed, through a pipe."""
    return run(home, *args, home=home, command=ASK, replies=replies, width=width)


@pytest.mark.parametrize("path", ROUNDS, ids=lambda path: path.stem)
def test_a_piped_round_gives_its_transcript(path: Path, golden: Golden, tmp_path: Path) -> None:
    """What is asked, marked, explained and summed up, to the letter, with exit code 0.

    The first line of a file of replies holds further arguments, after ``#``.
    """
    first, _, replies = path.read_text(encoding="utf-8").partition("\n")
    done = run_ask(first.removeprefix("#").split(), replies, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    golden(path.with_suffix(".txt"), done.stdout)


@pytest.mark.parametrize("width", [40, 60, 100])
def test_text_keeps_to_the_width_of_the_terminal(width: int, tmp_path: Path) -> None:
    """No line of a round is wider than the terminal, echoed replies and code aside."""
    done = run_ask([], "\n".join([*REPLIES, ""]), tmp_path, width)
    lines = [line for line in done.stdout.splitlines() if not line.startswith((">", "    "))]
    assert max(map(len, lines)) <= width


def test_an_unknown_topic_lists_the_topics(tmp_path: Path) -> None:
    """Exit code 2, what there is, and no traceback."""
    done = run_ask(["smaple"], "", tmp_path)
    assert done.returncode == 2
    assert "There is no topic called 'smaple'" in done.stderr
    assert "There are: sample." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args", [["--due", "--all"], ["-n", "0"], ["--kind", "essay"], ["--level", "SENIOR?"]]
)
def test_options_that_do_not_fit_are_usage_errors(args: list[str], tmp_path: Path) -> None:
    """Exit code 2 and one message."""
    done = run_ask(args, "", tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_folder_without_banks_is_a_usage_error(tmp_path: Path) -> None:
    """--bank on an empty folder says what it looked for."""
    done = run(tmp_path, "ask", "--bank", str(tmp_path))
    assert done.returncode == 2
    assert "no question banks" in done.stderr


def test_a_store_that_cannot_be_opened_is_said_before_any_question(tmp_path: Path) -> None:
    """A damaged file ends in one message with the file's name, exit code 1, and stays."""
    (tmp_path / FILE_NAME).write_text("not a database, and long enough to be looked at" * 50)
    done = run_ask([], "b\n", tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / FILE_NAME) in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_replies_that_are_no_text_and_terminal_codes_do_no_harm(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 and escape sequences are read, stored and echoed harmlessly."""
    done = subprocess.run(
        ASK,
        input=b"\xff\xfe\n\x1b[2J\nb\n\x00\nb d\n",
        capture_output=True,
        env=environment(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout
    with Store.open(tmp_path) as store:
        assert [review.score for review in store.reviews()] == [1, 1]


def test_a_locale_without_unicode_is_enough(tmp_path: Path) -> None:
    """With an ASCII terminal the round still runs to its end."""
    settings = environment(tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    done = subprocess.run(ASK, input=b"b\n", capture_output=True, env=settings)
    assert done.returncode == 0, done.stderr


# --- what a kill leaves --------------------------------------------------------------------


@contextmanager
def piped(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command with pipes at both ends; killed at the end if it still runs."""
    process = subprocess.Popen(
        ASK, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(home)
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[bytes], *signs: bytes) -> bytes:
    """Output up to where one of the signs appears: the handshake that replaces waiting."""
    assert process.stdout
    seen = b""
    while not any(sign in seen for sign in signs):
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, f"ended before {signs}: {seen.decode()}"
        seen += piece
    return seen


def send(process: subprocess.Popen[bytes], reply: str) -> None:
    assert process.stdin
    process.stdin.write(f"{reply}\n".encode())
    process.stdin.flush()


@pytest.mark.parametrize("answers", range(1, len(REPLIES) + 1))
def test_a_kill_after_any_answer_loses_none(answers: int, tmp_path: Path) -> None:
    """SIGKILL as soon as the mark of an answer is seen: that answer and all before are stored."""
    with piped(tmp_path) as process:
        for place, reply in enumerate(REPLIES[:answers], start=1):
            read_until(process, b"\n> ")
            send(process, reply)
            if place == answers:
                # An open answer is stored before its points are confirmed.
                read_until(process, b"ight", b"What I heard")
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Store.open(tmp_path) as store:
        reviews = store.reviews()
        assert [review.question for review in reviews] == QUESTIONS[:answers]
        assert [review.reply for review in reviews] == REPLIES[:answers]
        assert set(store.cards()) == set(QUESTIONS[:answers])


def test_two_rounds_at_once_both_count(tmp_path: Path) -> None:
    """Two processes on one store, answering in turn, lose nothing of each other."""
    with piped(tmp_path) as one, piped(tmp_path) as other:
        for reply in REPLIES[:4]:
            # Both ask before either is answered: what one has stored is not due for a round
            # that begins later, which would then ask something else.
            for process in (one, other):
                read_until(process, b"\n> ")
            for process in (one, other):
                send(process, reply)
        for process in (one, other):
            read_until(process, b"\n> ")
            process.send_signal(signal.SIGTERM)
            process.wait()
    with Store.open(tmp_path) as store:
        reviews = store.reviews()
        assert len(reviews) == 8
        assert len({review.session for review in reviews}) == 2


# --- the loop ------------------------------------------------------------------------------


def test_a_named_mistake_brings_its_concept_forward_and_says_why(tmp_path: Path) -> None:
    """After grading named a mistake, `ask` and `ask --due` begin with it, and give the reason."""
    reason = "your causal_mask hides the diagonal (strict_mask)."
    with Store.open(tmp_path) as store:
        store.bring_forward(["causal-mask"], reason, datetime.now(UTC))
    for args in ([], ["--due"]):
        shown = run_ask(args, "", tmp_path, 80).stdout
        assert shown.index(f"Brought forward: {reason}") < shown.index("Hidden scores are set")
    due = run_ask(["--due"], "zero\n[1]\n", tmp_path).stdout
    assert "2 of 2" in due
    assert "Nothing is due." in run_ask(["--due"], "", tmp_path).stdout


def test_a_missed_question_points_to_grade_once_the_exercise_was_tried(tmp_path: Path) -> None:
    """Before the first attempt it is `start`, after it `grade`."""
    args = ["--kind", "cloze"]
    assert "quizprep start causal_mask" in run_ask(args, "zero\n", tmp_path).stdout
    with Store.open(tmp_path) as store:
        store.record_attempt("causal_mask", False, [], "{}", datetime.now(UTC))
    shown = run_ask([*args, "--all"], "zero\n", tmp_path).stdout
    assert "quizprep grade causal_mask" in shown


def test_what_was_answered_is_not_asked_again_before_it_is_due(tmp_path: Path) -> None:
    """A second round has nothing; --all asks the same with new draws, and one card goes on."""
    run_ask([], "\n".join([*REPLIES, ""]), tmp_path)
    assert "Nothing is due." in run_ask([], "", tmp_path).stdout
    with Store.open(tmp_path) as store:
        before = store.cards()
    again = run_ask(["--all", "--seed", "4"], "\n".join(["x"] * 8), tmp_path)
    assert "0 of 8 right" in again.stdout
    with Store.open(tmp_path) as store:
        assert set(store.cards()) == set(before)
        seeds = [review.seed for review in store.reviews("token-bytes")]
        assert len(set(seeds)) == 2


# --- at a terminal -------------------------------------------------------------------------


class Person:
    """A pseudo-terminal with the command at its other end."""

    def __init__(
        self, home: Path, *args: str, program: str = "ask", bank: Path = BANK, **settings: str
    ) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(environment(home, **settings))
            os.chdir(ROOT)
            command = [*COMMAND, program, "--bank", str(bank), "--seed", "3"]
            os.execv(command[0], [*command, *args])
        self.seen = ""

    def until(self, sign: str) -> str:
        """Read until a sign appears; returns what came since the last call."""
        piece = ""
        while sign not in piece:
            ready, _, _ = select.select([self.fd], [], [], 60)
            assert ready, f"no {sign!r} in {piece!r}"
            piece += os.read(self.fd, 65536).decode()
        self.seen += piece
        return piece

    def until_rating(self) -> None:
        """Read up to where one keystroke rates the answer."""
        if "> " not in self.until("q leaves.").partition("q leaves.")[2]:
            self.until("> ")

    def until_asleep(self) -> None:
        """Wait for the program to wait: Python loses a Ctrl-C that comes just before it does."""
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] != "S":
            os.sched_yield()

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def leave(self) -> int:
        """The exit code, and the rest of the output in ``seen``."""
        while True:
            assert select.select([self.fd], [], [], 60)[0], f"does not end: {self.seen[-300:]!r}"
            try:
                piece = os.read(self.fd, 65536)
            except OSError:
                break
            if not piece:
                break
            self.seen += piece.decode()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_one_keystroke_overrides_the_rating(tmp_path: Path) -> None:
    """The learner's own rating is a correction: it counts, and the first one stays on record."""
    person = Person(tmp_path, "-n", "2")
    person.until("> ")
    person.type("b\n")
    person.until_rating()
    person.type("1")
    person.until("> ")
    person.type("q\n")
    assert person.leave() == 0
    assert "Rated again" in person.seen
    with Store.open(tmp_path) as store:
        assert [(r.score, r.rating, r.seconds is not None) for r in store.reviews()] == [
            (1.0, 1, True)
        ]


@pytest.mark.parametrize("key", ["\x03", "\x04", "q\n"])
@pytest.mark.parametrize("answered", [0, 1])
def test_every_way_out_ends_with_the_summary_and_exit_code_0(
    key: str, answered: int, tmp_path: Path
) -> None:
    """Ctrl-C, Ctrl-D and q leave cleanly at a prompt, with what was answered stored."""
    person = Person(tmp_path)
    person.until("> ")
    if answered:
        person.type("b\n")
        person.until_rating()
        person.type("\r")
        person.until("> ")
    person.until_asleep()
    person.type(key)
    assert person.leave() == 0
    assert "Summary" in person.seen
    with Store.open(tmp_path) as store:
        assert len(store.reviews()) == answered


@pytest.mark.parametrize(
    ("args", "settings", "colour"),
    [
        ([], {}, True),
        ([], {"NO_COLOR": "1"}, False),
        (["--plain"], {}, False),
        ([], {"TERM": "dumb"}, False),
    ],
)
def test_colour_only_where_it_is_wanted(
    args: list[str], settings: dict[str, str], colour: bool, tmp_path: Path
) -> None:
    """A terminal has colour, unless NO_COLOR, --plain or a dumb terminal says otherwise."""
    person = Person(tmp_path, *args, **settings)
    person.until("> ")
    person.type("q\n")
    person.leave()
    assert bool(re.search(r"\x1b\[[0-9;]*m", person.seen)) == colour


def test_a_spoken_answer_may_have_several_lines_at_a_terminal(tmp_path: Path) -> None:
    """An empty line ends it; one letter a point corrects what was heard."""
    person = Person(tmp_path, "--kind", "open")
    person.until("> ")
    person.type("The variance grows with the size,\n")
    person.type("and the softmax saturates.\n\n")
    person.until("letters to flip.")
    person.type("c\n")
    person.until_rating()
    person.type("q")
    assert person.leave() == 0
    with Store.open(tmp_path) as store:
        (review,) = store.reviews()
    assert review.reply.count("\n") == 1
    assert review.score == 1.0


def test_a_hint_while_an_open_answer_is_typed_counts_its_points(tmp_path: Path) -> None:
    """A ? on a line of its own is no part of the answer; it is stored as a hint."""
    person = Person(tmp_path, "--kind", "open")
    person.until("> ")
    person.type("The variance grows with the size,\n")
    person.type("?\n")
    person.until("would tick 1 of 3 points")
    person.type("and the softmax saturates.\n\n")
    person.until("letters to flip.")
    person.type("\n")
    person.until_rating()
    person.type("q")
    assert person.leave() == 0
    with Store.open(tmp_path) as store:
        (review,) = store.reviews()
    assert "?" not in review.reply
    assert review.hints == 1
    assert review.score == pytest.approx(2 / 3)
