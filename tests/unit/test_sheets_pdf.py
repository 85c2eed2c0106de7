"""Sheets and cheat sheets as PDF."""

from __future__ import annotations

import dataclasses
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep import maths
from quizprep.authoring.question_checks import shown_texts
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Level
from quizprep.errors import MissingExtraError
from quizprep.sheets import pdf
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.cheat import SIDES, STEPS, Cheat, cheat, fitted
from quizprep.sheets.model import Sheet
from quizprep.sheets.pdf import code_typst, line_typst, math_typst, words_typst
from quizprep.sheets.prose import Bullets, Words, line
from quizprep.sheets.templating import MARKER

SMALL = Library(Path(__file__).parents[1] / "golden" / "sheets" / "bank")
SHIPPED = Library(shipped_root())


def sheet(library: Library = SHIPPED, **wanted: Any) -> Sheet:
    return build(library, Wanted(topics=library.topics, **wanted))


def numbered_pages(source: str) -> list[object]:
    """The page numbers that stand on the pages of a document."""
    found = pdf.typst().query(source.encode(), "<page-number>", ignore_system_fonts=True)
    return list(json.loads(found))


def warnings(source: str) -> list[str]:
    _, found = pdf.typst().compile_with_warnings(
        source.encode(), format="pdf", ignore_system_fonts=True
    )
    return [str(warning) for warning in found]


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("library", [SMALL, SHIPPED])
def test_every_page_is_numbered(library: Library, answers: bool) -> None:
    """A sheet compiles without a warning, and each of its pages carries its number."""
    source = pdf.sheet_source(sheet(library, answers=answers))
    assert warnings(source) == []
    assert len(numbered_pages(source)) == pdf.page_count(source) > 0


def test_the_file_is_a_marked_pdf_and_always_the_same() -> None:
    """The same sheet gives the same bytes, which hold the marker that lets us replace them."""
    made = pdf.render_pdf(sheet(SMALL))
    assert made.startswith(b"%PDF") and MARKER.encode() in made
    assert made == pdf.render_pdf(sheet(SMALL))
    assert MARKER.encode() in pdf.render_cheat(sheet(SMALL))


def test_every_formula_of_the_banks_compiles() -> None:
    """Every formula in a shipped bank, and every command of the subset, is set by Typst."""
    formulas = [rf"a \{name} b" for name in (*maths.SYMBOLS, *maths.RELATIONS)]
    formulas += [rf"a \{name} b" for name in (*maths.FUNCTIONS, *maths.SPACES)]
    formulas += [rf"a \{name} b" for name in maths.LITERALS]
    for bank in SHIPPED.banks.values():
        texts = [bank.template, *(t for q in bank.questions for _, t in shown_texts(q))]
        pieces = [piece for text in texts for piece in maths.split_math(text)]
        formulas += [piece.text[1:-1] for piece in pieces if piece.is_math]
    source = "\n\n".join(math_typst(latex, display) for latex in formulas for display in (0, 1))
    assert warnings(source) == []


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
def test_any_text_is_words(text: str, code: str) -> None:
    """Nothing in a text, a piece of code or a formula can break the document."""
    if all(c.isprintable() for c in text + code):
        parts = (words_typst(text), code_typst(code, "python"), line_typst(line(f"{text}.x")))
        made = pdf.compiled("\n\n".join((*parts, math_typst(code or "x"))))
        assert made.startswith(b"%PDF")


def test_a_cheat_sheet_has_two_sides() -> None:
    """Whatever the sheet, from one topic to sixteen, it fits on two sides, and says what it
    leaves out."""
    one = sheet(SMALL)
    many = dataclasses.replace(sheet(), sections=(sheet().sections * 2)[:16])
    for whole in (one, sheet(), many):
        made = fitted(whole, lambda each: pdf.page_count(pdf.cheat_source(each)))
        source = pdf.cheat_source(made)
        assert pdf.page_count(source) <= SIDES
        assert len(numbered_pages(source)) == pdf.page_count(source)
    assert made.dropped.startswith("Left out for room: ")


def test_a_roomier_level_is_never_passed_over() -> None:
    """The level chosen is the first that fits."""
    for fits_from in range(len(STEPS)):
        allowed = {id(step) for step in STEPS[fits_from:]}
        tried: dict[Cheat, int] = {
            cheat(sheet(SMALL), step): SIDES if id(step) in allowed else SIDES + 1 for step in STEPS
        }
        seen: list[Cheat] = []

        def pages(each: Cheat, seen: list[Cheat] = seen, tried: Any = tried) -> int:
            seen.append(each)
            return int(tried[each])

        assert fitted(sheet(SMALL), pages).detail == STEPS[fits_from]


def test_levels_of_detail_only_take_away() -> None:
    """From one level to the next no type grows and nothing is added."""
    made = [cheat(sheet(), step) for step in STEPS]
    for roomy, bare in pairwise(made):
        assert bare.detail.size <= roomy.detail.size
        for a, b in zip(roomy.topics, bare.topics, strict=True):
            for name in ("numbers", "claims", "choices", "spoken"):
                assert len(getattr(b, name)) <= len(getattr(a, name))


def test_a_template_is_cut_after_whole_sentences() -> None:
    """A shortened template ends where a sentence ends."""
    for step in STEPS:
        for topic in cheat(sheet(levels=[Level.STAFF]), step).topics:
            block = topic.template[-1]
            last = None if isinstance(block, Bullets) else block[-1]
            assert not isinstance(last, Words) or last.text.rstrip()[-1] in ".:!?"


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing Typst is a MissingExtraError that names the extra."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtraError) as error:
        pdf.render_pdf(sheet(SMALL))
    assert "Study sheets as PDF" in error.value.message and "[sheet]" in (error.value.hint or "")
