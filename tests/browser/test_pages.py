"""Printed sheets: no word lies beyond its page, seen through Poppler."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.sheets.model import Sheet
from quizprep.sheets.pdf import render_cheat, render_pdf
from tools.chromium import window

SHIPPED = Library(shipped_root())
MILLIMETRE = 72 / 25.4
SLACK = 1.5
"""Points that the box of a letter may stick out without ink."""

_WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="[\d.-]+" xMax="([\d.-]+)"[^>]*>(.*?)</word>')

pytestmark = pytest.mark.usefixtures("pdftotext")


def sheet(**wanted: object) -> Sheet:
    return build(SHIPPED, Wanted(topics=SHIPPED.topics, **wanted))


def text_of(made: bytes, *options: str) -> str:
    """The text of a PDF."""
    command = ["pdftotext", *options, "-", "-"]
    return subprocess.run(command, input=made, capture_output=True, check=True).stdout.decode()


def beyond(made: bytes, margin: float) -> list[str]:
    """Words that reach into the margin (in mm) on either side of a page of A4."""
    words = _WORD.findall(text_of(made, "-bbox"))
    assert len(words) > 100
    left = margin * MILLIMETRE - SLACK
    right = (210 - margin) * MILLIMETRE + SLACK
    return [word for low, high, word in words if float(low) < left or float(high) > right]


@pytest.mark.parametrize("answers", [True, False])
def test_a_pdf_keeps_its_margins(answers: bool) -> None:
    """In the PDF of every topic each word lies between the margins."""
    assert beyond(render_pdf(sheet(answers=answers)), 27) == []


def test_cheat_sheets_keep_their_margins() -> None:
    """So does each word of the cheat sheets, of one topic and of all."""
    for topics in (SHIPPED.topics, ("kernels",), ("serving",)):
        assert beyond(render_cheat(build(SHIPPED, Wanted(topics=topics))), 9) == []


def test_a_printed_page_keeps_its_margins(browser: Browser, tmp_path: Path) -> None:
    """The HTML sheet, printed by a browser, has every word between its margins, and the
    answers that are folded on the screen."""
    path = tmp_path / "sheet.html"
    path.write_text(render_html(sheet()), encoding="utf-8")
    with window(browser) as page:
        page.emulate_media(media="print")
        page.goto(path.as_uri())
        made = page.pdf(prefer_css_page_size=True)
    assert beyond(made, 16) == []
    assert text_of(made).count("A listener ticks") > 10


def test_a_word_in_the_margin_is_found() -> None:
    """With a margin wider than that of the page the check fails."""
    assert beyond(render_pdf(sheet(answers=False)), 40)
