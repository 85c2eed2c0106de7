"""A sheet as PDF, set by Typst: page numbers, contents, mathematics, no system packages."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

from jinja2 import Environment

from quizprep.content.draws import parsed
from quizprep.errors import MissingExtraError
from quizprep.formula.latex import latex
from quizprep.sheets import phrases
from quizprep.sheets.cheat import Cheat, fitted
from quizprep.sheets.figures import PAPER
from quizprep.sheets.model import Sheet
from quizprep.sheets.templating import environment
from quizprep.sheets.typst_text import (
    cell_typst,
    code_typst,
    line_typst,
    math_typst,
    prose_typst,
    string,
    words_typst,
)


def render_pdf(sheet: Sheet) -> bytes:
    """The file's bytes; raises MissingExtraError where Typst is not installed."""
    return compiled(sheet_source(sheet))


def sheet_source(sheet: Sheet) -> str:
    """The sheet in Typst's syntax."""
    numbers = {card.id: card.number for card in sheet.cards}
    return (
        typst_environment()
        .get_template("sheet.typ.j2")
        .render(sheet=sheet, marker=phrases.MARKER, numbers=numbers)
    )


def render_cheat(sheet: Sheet) -> bytes:
    """A cheat sheet as PDF, on two sides of one page where that is possible at all."""
    made = fitted(sheet, lambda cheat: page_count(cheat_source(cheat)))
    return compiled(cheat_source(made))


def cheat_source(cheat: Cheat) -> str:
    """A cheat sheet in Typst's syntax."""
    template = typst_environment().get_template("cheat.typ.j2")
    return template.render(cheat=cheat, marker=phrases.MARKER)


def compiled(source: str) -> bytes:
    """A Typst document as PDF. The same source gives the same bytes on every machine."""
    made = typst().compile(source.encode(), format="pdf", ignore_system_fonts=True, timestamp=0)
    assert isinstance(made, bytes)
    return made


def page_count(source: str) -> int:
    """How many pages a Typst document takes, without writing it."""
    asked = f"{source}\n#context [#metadata(counter(page).final().first()) <pages>]\n"
    found = typst().query(
        asked.encode(), "<pages>", field="value", one=True, ignore_system_fonts=True
    )
    return int(found)


def typst() -> ModuleType:
    """The library, imported on first use; it is large."""
    try:
        import typst as library
    except ImportError as error:
        raise MissingExtraError("Study sheets as PDF", "sheet") from error
    return library


@lru_cache(maxsize=1)
def typst_environment() -> Environment:
    """The templates' environment for Typst."""
    made = environment(autoescape=False)
    made.filters |= {
        "prose": prose_typst,
        "line": line_typst,
        "words": words_typst,
        "code": code_typst,
        "math": math_typst,
        "cell": cell_typst,
        "formula": lambda text: math_typst(latex(parsed(text))),
        "svg": lambda picture: string(picture.svg(PAPER)),
        "display": lambda latex: math_typst(latex, display=True),
        "string_literal": string,
    }
    made.globals["ruled"] = phrases.ruled
    return made
