"""The README shows pictures that are there, small, and told in words."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
LARGEST = 200_000
VERDICT = re.search(r"\$ quizprep grade flash_forward (\S+)\n(.*?)```", README, re.S)


def test_every_picture_is_there_and_told_in_words() -> None:
    """Each picture is a file of ours, not too large, with words for who cannot see it."""
    assert {path for _, path in PICTURES} == {
        f"docs/pictures/{name}" for name in ("verdict.svg", "sheet.png", "progress.svg", "web.png")
    }
    for words, path in PICTURES:
        assert len(words) > 40
        assert 1000 < (ROOT / path).stat().st_size < LARGEST


def test_screens_load_nothing() -> None:
    """A screen is valid SVG that names no address but that of SVG, and shows its command."""
    for name in ("verdict", "progress"):
        text = (ROOT / "docs" / "pictures" / f"{name}.svg").read_text(encoding="utf-8")
        shown = "".join(ElementTree.fromstring(text).itertext()).replace("\xa0", " ")
        assert "$ quizprep " in shown
        assert set(re.findall(r"https?://[^\s\"')<]+", text)) <= {
            "http://www.w3.org/2000/svg",
            "https://www.textualize.io",
        }
        assert "url(http" not in text and "@font-face" not in text


def test_the_verdict_is_what_the_program_prints() -> None:
    """Every line of the example, in order; lines may be left out between them."""
    pytest.importorskip("torch")
    assert VERDICT is not None
    path = ROOT / "examples" / VERDICT[1]
    with Pool() as pool:
        exercise = Library(shipped_root()).exercise("flash_forward")
        verdict = Grader(pool).grade(exercise, Submission(path.name, path.read_bytes()))
    printed = " ".join(line.text for line in report.lines(verdict))
    place = 0
    for sentence in VERDICT[2].splitlines():
        wanted = " ".join(sentence.split())
        place = " ".join(printed.split()).index(wanted, place) + len(wanted)
