"""Printed sheets: no word lies beyond its page, seen through Poppler."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.sheets.model import Sheet
from quizprep.sheets.pdf import render_cheat, render_pdf
from tools.chromium import Chromium, View, found

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None,
    reason="there is no pdftotext here (Debian: apt-get install poppler-utils)",
)

SHIPPED = Library(shipped_root())
MILLIMETRE = 72 / 25.4
SLACK = 1.5
"""Points that a box of a letter may stick out without ink."""

_WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)"[^>]*>(.*?)</word>')


def sheet(**wanted: object) -> Sheet:
    return build(SHIPPED, Wanted(topics=SHIPPED.topics, **wanted))


def beyond(made: bytes, margin: float, folder: Path) -> list[str]:
    """Words that reach into the margin (in mm) on either side of a page of A4."""
    path = folder / "sheet.pdf"
    path.write_bytes(made)
    asked = ["pdftotext", "-bbox", str(path), "-"]
    text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    words = _WORD.findall(text)
    assert len(words) > 100
    left = margin * MILLIMETRE - SLACK
    right = (210 - margin) * MILLIMETRE + SLACK
    return [word for low, high, word in words if float(low) < left or float(high) > right]


@pytest.mark.parametrize("answers", [True, False])
def test_a_pdf_keeps_its_margins(tmp_path: Path, answers: bool) -> None:
    """In the PDF of every topic each word lies between the margins."""
    assert beyond(render_pdf(sheet(answers=answers)), 27, tmp_path) == []


def test_cheat_sheets_keep_their_margins(tmp_path: Path) -> None:
    """So does each word of the cheat sheets, of one topic and of all."""
    for topics in (SHIPPED.topics, ("kernels",), ("serving",)):
        made = render_cheat(build(SHIPPED, Wanted(topics=topics)))
        assert beyond(made, 9, tmp_path) == []


@pytest.mark.skipif(found() is None, reason="there is no Chromium here")
def test_a_printed_page_keeps_its_margins(tmp_path: Path) -> None:
    """The HTML sheet, printed by a browser, has every word between its margins, and the
    answers that are folded on the screen."""
    path = tmp_path / "sheet.html"
    path.write_text(render_html(sheet()), encoding="utf-8")
    with Chromium() as browser, browser.page(path, View(media="print")) as page:
        made = page.pdf()
    assert beyond(made, 16, tmp_path) == []
    asked = ["pdftotext", str(tmp_path / "sheet.pdf"), "-"]
    text = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert text.count("A listener ticks") > 10


def test_a_word_in_the_margin_is_found(tmp_path: Path) -> None:
    """With a margin wider than that of the page the check fails."""
    assert beyond(render_pdf(sheet(answers=False)), 40, tmp_path)
