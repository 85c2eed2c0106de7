"""The ways to choose what `quizprep ask` asks: chains, names, the weakest, bookmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Chain
from quizprep.quiz.scheduling import reschedule
from quizprep.store import Answer, Store
from tests.cli.program import run
from tests.cli.test_ask import run_ask


def chain(home: Path, replies: str) -> list[str]:
    """The lines of a round along a chain, without the questions themselves."""
    done = run(
        home, "ask", "--chain", "kv-cache", "--seed", "3", home=home, replies=replies, width=80
    )
    assert done.returncode == 0, done.stderr
    signs = ("──", "Deeper", "Back", "The end", "You left", "Left", "No question")
    lines = done.stdout.splitlines()
    return [lines[0], *(line for line in lines[1:] if line.startswith(signs))]


def next_chain(home: Path) -> Chain:
    """Sees to it that the next chain is one with a way back from its first question."""
    chains = Library(shipped_root()).bank("kv-cache").chains
    first = next(each for each in chains if each.steps[0].back is not None)
    with Store.open(home) as store:  # every other chain was answered lately
        others = {s.ask for each in chains for s in each.steps} - {s.ask for s in first.steps}
        for question in others:
            answer = Answer(question, datetime.now(UTC), 1, "", 1.0, 3, 0, None, "s")
            store.record_review(answer, reschedule)
    return first


def test_a_chain_leads_back_after_a_poor_answer_and_ends(tmp_path: Path) -> None:
    """Two poor answers: the first question, the easier one, the end."""
    first = next_chain(tmp_path)
    lines, of = chain(tmp_path, "x\nx\n"), len(first.steps)
    assert lines[0] == f"{first.title}: {of} questions, each deeper."
    assert lines[1].startswith(f"── 1 of {of}: ")
    assert lines[2] == "Back, to an easier one."
    assert lines[3].startswith(f"── back from 1 of {of}: ")
    assert lines[4] == f"The end of {first.title!r}: 0 of 2 answered well."


@pytest.mark.parametrize("key", ["s", "q"])
def test_a_chain_left_without_an_answer_is_followed_by_another(key: str, tmp_path: Path) -> None:
    """Skipping or leaving says so, and the next round begins with another question."""
    lines = [chain(tmp_path, f"{key}\nq\n") for _ in range(2)]
    assert any("next time another chain comes first" in line for line in lines[0])
    assert lines[0][0] != lines[1][0]


def test_a_chain_that_is_left_sums_up(tmp_path: Path) -> None:
    first = next_chain(tmp_path)
    lines = chain(tmp_path, "x\nq\n")
    assert lines[4] == f"You left {first.title!r}: 0 of 1 answered well."


def test_a_chain_chooses_by_itself(tmp_path: Path) -> None:
    done = run(tmp_path, "ask", "--chain", "--due", home=tmp_path)
    assert done.returncode == 2 and "--chain chooses its questions by itself" in done.stderr
    none = run_ask(["--chain"], "", tmp_path)
    assert none.returncode == 0 and "have no chains" in none.stdout


def test_a_question_or_concept_can_be_named(tmp_path: Path) -> None:
    """A question is asked though it is not due; a wrong name is answered with the nearest."""
    for _ in range(2):
        done = run(tmp_path, "ask", "basics-rank", home=tmp_path, replies="x\n")
        assert "1 of 1: attention-basics" in done.stdout
    concept = run(tmp_path, "ask", "ring-attention", home=tmp_path, replies="q\n")
    assert concept.returncode == 0 and "1 of" in concept.stdout
    wrong = run(tmp_path, "ask", "maskin", home=tmp_path)
    assert wrong.returncode == 2 and "Did you mean masking" in wrong.stderr


def test_cramming_asks_the_worst_first_though_nothing_is_due(tmp_path: Path) -> None:
    """And nothing that was never answered."""
    none = run(tmp_path, "ask", "--cram", home=tmp_path)
    assert none.stdout == "No question of these was answered yet.\n"
    with Store.open(tmp_path) as store:
        for question, score in (("basics-rank", 1.0), ("basics-softmax-axis", 0.0)):
            answer = Answer(question, datetime.now(UTC), 1, "", score, 4, 0, None, "s")
            store.record_review(answer, reschedule)
    done = run(tmp_path, "ask", "--cram", home=tmp_path, replies="s\ns\n")
    assert "2 of 2" in done.stdout
    assert done.stdout.index("axis -2") < done.stdout.index("How large can the rank")


def test_a_bookmark_keeps_a_note(tmp_path: Path) -> None:
    """It is shown with the question; pressing the key again drops it."""
    run(tmp_path, "ask", "basics-rank", home=tmp_path, replies="*\nlook up ranks\nq\n")
    done = run(tmp_path, "ask", "--bookmarked", home=tmp_path, replies="*\nq\n")
    assert "Bookmarked: look up ranks" in done.stdout and "is dropped" in done.stdout
    assert "is bookmarked" in run(tmp_path, "ask", "--bookmarked", home=tmp_path).stdout


def test_nothing_is_stored_without_record(tmp_path: Path) -> None:
    """The round knows the history and leaves none."""
    run(tmp_path, "ask", "basics-rank", home=tmp_path, replies="x\n")
    before = run(tmp_path, "export", home=tmp_path).stdout
    done = run(tmp_path, "ask", "--cram", "--no-record", home=tmp_path, replies="*\nnote\nx\n")
    assert "Nothing of this round is stored." in done.stdout and "1 of 1" in done.stdout
    assert run(tmp_path, "export", home=tmp_path).stdout == before
