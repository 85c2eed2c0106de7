"""Sheets as HTML and Markdown: whole pages, from a small bank and from the shipped ones."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.sheets.markdown import line_md, math_md, render_markdown
from quizprep.sheets.prose import line
from tests.conftest import Golden

FOLDER = Path(__file__).parents[1] / "golden" / "sheets"
SMALL = Library(FOLDER / "bank")
SHIPPED = Library(shipped_root())
VOID = {"meta", "link", "br", "hr", "img", "input"}


def small_sheet(**wanted: object):
    return build(SMALL, Wanted(topics=["small"], **wanted))


def shipped_sheet(**wanted: object):
    return build(SHIPPED, Wanted(topics=SHIPPED.topics, **wanted))


class Outline(HTMLParser):
    """The tags of a page: that they nest, the headings, the ids, what is loaded and linked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.shape: list[str] = []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "math" not in self.open and tag not in ("style", "meta"):
            kept = "".join(f" {n}={given[n]}" for n in ("id", "class", "href") if n in given)
            self.shape.append("  " * len(self.open) + tag + kept)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.ids += [given["id"]] if "id" in given else []
        if tag == "a":
            self.links.append(given["href"])
        else:
            self.loaded += [given[n] for n in ("src", "href", "srcset", "data") if n in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(("name", "answers"), [("small", True), ("small-test", False)])
def test_markdown_is_as_agreed(name: str, answers: bool, golden: Golden) -> None:
    """The Markdown of the small bank, which has a question of every kind, is the golden one."""
    golden(FOLDER / f"{name}.md", render_markdown(small_sheet(answers=answers)))


@pytest.mark.parametrize(("name", "answers"), [("small", True), ("small-test", False)])
def test_html_has_the_agreed_structure(name: str, answers: bool, golden: Golden) -> None:
    """Elements, ids, classes and links of the page are the golden ones."""
    page = render_html(small_sheet(answers=answers))
    golden(FOLDER / f"{name}.html.txt", "\n".join(Outline(page).shape) + "\n")


def test_headings_nest() -> None:
    """One h1; no heading skips a level."""
    for sheet in (small_sheet(), shipped_sheet(), shipped_sheet(answers=False)):
        levels = Outline(render_html(sheet)).headings
        assert levels.count(1) == 1 and levels[0] == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))


def test_nothing_is_loaded() -> None:
    """The page fetches nothing: no script, no http(s) resource, no url() but data."""
    for sheet in (small_sheet(), shipped_sheet()):
        page = render_html(sheet)
        assert all(address.startswith("data:") for address in Outline(page).loaded)
        assert "<script" not in page and "@import" not in page
        assert set(re.findall(r"url\(.{6}", page)) == {'url("data:'}


def test_the_font_of_last_resort_is_small_and_inside() -> None:
    """The page carries the font that keeps roots visible, with its table for mathematics."""
    page = render_html(small_sheet())
    found = re.search(r"data:font/ttf;base64,([^\"]+)", page)
    assert found is not None
    font = base64.b64decode(found[1])
    assert b"MATH" in font[:200] and len(font) < 2000


def test_links_inside_a_page_lead_somewhere() -> None:
    """Every link within the page has its target, and no id occurs twice."""
    for sheet in (small_sheet(), shipped_sheet(), shipped_sheet(answers=False)):
        outline = Outline(render_html(sheet))
        inside = {link[1:] for link in outline.links if link.startswith("#")}
        assert inside <= set(outline.ids)
        assert len(outline.ids) == len(set(outline.ids))


def test_texts_cannot_become_markup() -> None:
    """Signs of HTML in a bank are text on the page."""
    page = render_html(small_sheet())
    assert "True &amp; &lt;b&gt;" in page and "<b> </code>" not in page
    assert "a &lt; b &amp; " in page


def test_a_self_test_holds_answers_only_at_its_end() -> None:
    """No explanation, trap or template is in the file, and results and key points are in the key
    alone."""
    test = small_sheet(answers=False)
    for page, heading in (
        (render_html(test), '<section id="answers"'),
        (render_markdown(test), "\n## Answers\n"),
    ):
        questions, key = page.split(heading)
        for text in ("counted K", "That is full", "Weights are computed"):
            assert text not in page
        for text in ("saturates", " bytes = "):
            assert text not in questions.partition("Exercises")[0] and text in key
        assert "Why scale?" in questions and "print(f(1))" in questions


def test_numbers_are_computed() -> None:
    """A drawn number stands beside its formula, worked out in its base unit and its own."""
    working = small_sheet().cards[0].answer.working
    assert working is not None
    head = dict(working.given)["d"]
    assert working.substituted == rf"2 \cdot 32 \cdot 8 \cdot {head} \cdot 2"
    assert working.result == f"{2 * 32 * 8 * int(head) * 2:,} bytes = {int(head)} KiB"


def test_a_share_is_shown_as_asked() -> None:
    """A percentage is shown as the share it is, and in per cent."""
    working = small_sheet().cards[1].answer.working
    assert working is not None and working.result == "0.25 = 25%"


def test_the_seed_chooses_the_numbers() -> None:
    """The same seed gives the same page, some other seed another one."""
    pages = {render_html(small_sheet(seed=seed)) for seed in range(8)}
    assert len(pages) > 1
    assert render_html(small_sheet(seed=3)) == render_html(small_sheet(seed=3))


def test_levels_select() -> None:
    """Only questions of the levels asked for are on the sheet, counted from 1."""
    cards = small_sheet(levels=["staff"]).cards
    assert [(card.id, card.number) for card in cards] == [("small-ratio", 1)]


def test_missed_questions_come_alone_and_in_their_order() -> None:
    """A sheet of what is missed has only that, the weakest first, each with its reason."""
    cards = small_sheet(missed={"small-open": "Twice.", "small-number": "Once."}).cards
    assert [(c.id, c.missed) for c in cards] == [
        ("small-open", "Twice."),
        ("small-number", "Once."),
    ]
    assert "Twice." in render_html(small_sheet(missed={"small-open": "Twice."}))


def test_every_shipped_question_is_on_the_sheet() -> None:
    """No question of a bank is lost, and each has an explanation."""
    cards = shipped_sheet().cards
    assert {card.id for card in cards} == set(SHIPPED.questions)
    assert all(card.answer.why for card in cards)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# no heading", r"\# no heading"),
        ("1. no item", r"1\. no item"),
        ("a *b* _c_ snake_case <i>", r"a \*b\* \_c\_ snake_case \<i>"),
        ("costs \\$5", "costs <span>$</span>5"),
        ("the $n$th", "the $`n`$th"),
        ("`a_b` and $x_i$.", "`a_b` and $x_i$."),
    ],
)
def test_words_stay_words_in_markdown(text: str, expected: str) -> None:
    """Nothing in a text is taken for Markdown, and code and mathematics stay what they are."""
    assert line_md(line(text)) == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\operatorname{diag}(p)", r"$\mathrm{diag}(p)$"),
        ("a < b", r"$a \lt  b$"),
        (r"\{x\}", r"$`\{x\}`$"),
    ],
)
def test_mathematics_is_what_github_takes(latex: str, expected: str) -> None:
    """Macros that GitHub refuses are replaced, and escapes survive Markdown."""
    assert math_md(latex) == expected


def test_sheets_do_without_torch_and_numpy() -> None:
    """Rendering imports neither torch nor numpy nor anything from an extra."""
    program = (
        "import sys; import quizprep.cli.sheet, quizprep.sheets.html, quizprep.sheets.markdown;"
        "print(sorted({'torch', 'numpy', 'triton', 'typst'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
