"""What a learner reads is spelt as in a dictionary, or its words are in the list of our terms."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from spellchecker import SpellChecker

from quizprep.authoring.spelling import WORDS, spelling_problems, unknown_words
from quizprep.content.library import Library, shipped_root

SHIPPED = Library(shipped_root())
PLAIN = SpellChecker(distance=1)
BANK = """\
format: 1
topic: cache
title: Caches
template: A cache keeps what was computed.
questions:
  - id: cache-what
    kind: cloze
    level: junior
    concepts: [kv-cache]
    ask: A cache keeps the ___ of a token.
    accept: [keys]
    why: {why}
    sources: [vaswani2017]
"""


def test_everything_that_is_shipped_is_spelt_right() -> None:
    """Banks, tasks and documentation hold no word that is in neither list."""
    assert [str(problem) for problem in spelling_problems(SHIPPED)] == []


def test_our_own_list_holds_only_what_the_dictionary_lacks() -> None:
    """The list is sorted, without repeats, and no longer than it must be."""
    words = (SHIPPED.question_folder / WORDS).read_text(encoding="utf-8").split()
    assert words == sorted(set(words))
    assert PLAIN.unknown(words) == set(words)


@pytest.mark.parametrize(
    "word", ["recieve", "seperate", "occured", "teh", "memmory", "atention", "wich", "lenght"]
)
def test_a_misspelt_word_is_found(word: str) -> None:
    """The slips that people make are in no dictionary."""
    assert unknown_words(f"There is {word} in the text.", PLAIN) == [word]


@pytest.mark.parametrize(
    "text",
    [
        "a run of `unknwn_name(xqz)` and $\\alpha_{xqz}$",
        "see [the page](https://example.org/xqzw) or https://example.org/xqzw",
        "the file qzx_w.py, the name AbcQzx, QZX and x2qz; {qzxw} of it",
        "```\nqzxw = 1\n```",
        "It's the token's key-value pair, isn't it?",
    ],
)
def test_code_mathematics_and_addresses_are_no_words(text: str) -> None:
    """Only prose is looked up."""
    assert unknown_words(text, PLAIN) == []


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quizprep", "check", "--banks", "--spelling", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_names_file_line_and_word(tmp_path: Path) -> None:
    """A bank of one's own with a slip: exit code 3, the place, the word, and what to do."""
    bank = tmp_path / "cache.yaml"
    bank.write_text(BANK.format(why="It is seperate."), encoding="utf-8")
    done = check(tmp_path)
    assert done.returncode == 3
    assert f"{bank}:12" in done.stderr
    assert "'seperate'" in done.stderr
    assert "did you mean 'separate'" in done.stderr
    bank.write_text(BANK.format(why="It is separate."), encoding="utf-8")
    assert check(tmp_path).returncode == 0


def test_own_terms_go_into_a_list_beside_the_banks(tmp_path: Path) -> None:
    """A word in words.txt is right from then on, and our own terms are right beside it."""
    why = "A qzxword of softmax."
    (tmp_path / "cache.yaml").write_text(BANK.format(why=why), encoding="utf-8")
    assert check(tmp_path).returncode == 3
    (tmp_path / WORDS).write_text("qzxword\n", encoding="utf-8")
    assert check(tmp_path).returncode == 0
