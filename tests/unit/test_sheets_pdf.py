"""Sheets and cheat sheets as PDF."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizprep import maths
from quizprep.authoring.question_checks import shown_texts
from quizprep.content.library import Library, shipped_root
from quizprep.errors import MissingExtraError
from quizprep.sheets import pdf
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.cheat import SIDES, SIZES, Cheat, fitted, ranking
from quizprep.sheets.model import KnownNumber, Sheet
from quizprep.sheets.pdf import code_typst, line_typst, math_typst, words_typst
from quizprep.sheets.prose import line
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
    """Whatever the sheet, from one topic to sixty, it fits on two sides, and says what it leaves
    out; the shipped topics leave out nothing."""
    one, all_topics = sheet(SMALL), sheet()
    many = dataclasses.replace(all_topics, sections=all_topics.sections * 4)
    for whole in (one, all_topics, many):
        made = fitted(whole, lambda each: pdf.page_count(pdf.cheat_source(each)))
        source = pdf.cheat_source(made)
        assert warnings(source) == []
        assert pdf.page_count(source) <= SIDES
        assert len(numbered_pages(source)) == pdf.page_count(source)
        assert bool(made.dropped) == (whole is many)


def test_the_largest_type_is_taken_before_entries_are_left_out() -> None:
    """With room for so many entries at the smallest type, these are shown and no more."""
    whole = sheet()
    total = len(ranking(whole))
    for room in (0, 1, total // 2, total):

        def pages(each: Cheat, room: int = room) -> int:
            shown = sum(len(t.formulas) + len(t.numbers) + len(t.claims) for t in each.topics)
            return SIDES if shown <= room and each.size <= SIZES[2] else SIDES + 1

        made = fitted(whole, pages)
        assert made.size == (SIZES[2] if room == total else SIZES[-1])
        assert sum(len(t.formulas) + len(t.numbers) + len(t.claims) for t in made.topics) == room
        assert bool(made.dropped) == (room < total)


def test_the_lightest_entries_are_left_out_first() -> None:
    """From all topics alike."""
    whole = sheet()
    weights = [whole.sections[t].essence.known[place].weight for t, place in ranking(whole)]
    assert weights == sorted(weights, reverse=True)
    heaviest = ranking(whole)[: len(whole.sections)]
    assert len({topic for topic, _ in heaviest}) > len(whole.sections) // 2


def test_a_topic_without_entries_begins_as_its_spoken_answer_does() -> None:
    """A sheet of one's own bank shows its first sentence."""
    (section,) = sheet(SMALL).sections
    assert not section.essence.known
    assert str(section.essence.say[-1]).rstrip("')").endswith(".")


def test_numbers_of_a_cheat_sheet_are_computed() -> None:
    """From the facts of models and machines, round to three digits."""
    shown = {
        known.result: known.working
        for section in sheet().sections
        for known in section.essence.known
        if isinstance(known, KnownNumber)
    }
    assert (
        shown["320 KiB"]
        == "2 \N{MIDDLE DOT} 80 \N{MIDDLE DOT} 8 \N{MIDDLE DOT} 128 \N{MIDDLE DOT} 2"
    )
    assert shown["\N{ALMOST EQUAL TO} 295 flops per byte"] == "989 / 3.35"


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing Typst is a MissingExtraError that names the extra."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MissingExtraError) as error:
        pdf.render_pdf(sheet(SMALL))
    assert "Study sheets as PDF" in error.value.message and "[sheet]" in (error.value.hint or "")
