"""A sheet as PDF, set by Typst: page numbers, contents, mathematics, no system packages.

Words are passed as strings and every ASCII sign of a formula is escaped, so nothing in a text
is read as markup, and a comma inside a fraction does not separate its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from types import ModuleType

from jinja2 import Environment

from quizprep import maths
from quizprep.errors import MissingExtraError
from quizprep.maths import Node, parse
from quizprep.sheets.cheat import Cheat, fitted
from quizprep.sheets.model import Sheet
from quizprep.sheets.prose import Bullets, Code, Line, Math, Prose, Words, break_apart
from quizprep.sheets.svg import PAPER
from quizprep.sheets.templating import environment

_STYLES = {"bold": "bold(upright({}))", "italic": "italic({})", "double-struck": "bb({})"}
_SYNTAX = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~⌊⌋⌈⌉‖")
_NOTHING = '""'


def render_pdf(sheet: Sheet) -> bytes:
    """The file's bytes; raises MissingExtraError where Typst is not installed."""
    return compiled(sheet_source(sheet))


def sheet_source(sheet: Sheet) -> str:
    """The sheet in Typst's syntax."""
    return typst_environment().get_template("sheet.typ.j2").render(sheet=sheet)


def render_cheat(sheet: Sheet) -> bytes:
    """A cheat sheet as PDF, on the two sides of one page where the barest one fits."""
    made = fitted(sheet, lambda cheat: page_count(cheat_source(cheat)))
    return compiled(cheat_source(made))


def cheat_source(cheat: Cheat) -> str:
    """A cheat sheet in Typst's syntax."""
    template = typst_environment().get_template("cheat.typ.j2")
    return template.render(cheat=cheat)


def compiled(source: str) -> bytes:
    """A Typst document as PDF. The same source gives the same bytes on every machine."""
    made = typst().compile(source.encode(), format="pdf", ignore_system_fonts=True, timestamp=0)
    assert isinstance(made, bytes)
    return made


def page_count(source: str) -> int:
    """The number of pages of a Typst document."""
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
        "svg": lambda picture: string(picture.svg(PAPER)),
        "display": lambda latex: math_typst(latex, display=True),
        "string_literal": string,
    }
    return made


def prose_typst(text: Prose) -> str:
    """Paragraphs and lists, separated by empty lines."""
    parts = []
    for block in text:
        if isinstance(block, Bullets):
            items = "".join(f"[{line_typst(item)}], " for item in block.items)
            parts.append(f"#{'enum' if block.numbered else 'list'}({items})")
        else:
            parts.append(line_typst(block))
    return "\n\n".join(parts)


def line_typst(line: Line) -> str:
    """Words, code and formulas of one line."""
    out = ""
    for item in line:
        match item:
            case Words(text):
                out += words_typst(text)
            case Code(text):
                out += f"#raw({string(text)});"
            case Math(latex=latex):
                out += math_typst(latex)
    return out


def words_typst(text: str) -> str:
    """Words in which nothing is markup."""
    # The semicolon ends the expression; the next text may begin with a dot or a bracket.
    return f"#{string(text)};"


def code_typst(code: str, language: str = "") -> str:
    """A block of code."""
    tongue = f", lang: {string(language)}" if language else ""
    return f"#raw({string(code)}, block: true{tongue});"


def string(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def math_typst(latex: str, display: bool = False) -> str:
    """A formula given in LaTeX without its dollars; ``display`` gives it the room of a line."""
    body = _written(parse(latex).tree)
    return f"$display({body})$" if display else f"${body}$"


def cell_typst(latex: str) -> str:
    """A formula in a column; one that cannot break is scaled down to the width of the column."""
    whole = len(break_apart(parse(latex).tree)) == 1
    return f"#fit[{math_typst(latex)}]" if whole else math_typst(latex)


def _written(node: Node) -> str:
    match node:
        case maths.Symbol(text, alphabet):
            return _symbol(text, alphabet)
        case maths.Digits(text):
            return text
        case maths.Sign(text):
            return _escaped(text)
        case maths.Text(text):
            return string(text)
        case maths.Name(text):
            return f"op({string(text)})"
        case maths.Gap(width):
            return f"#h({width:.3g}em);"
        case maths.Fraction(above, below):
            return f"frac({_written(above)}, {_written(below)})"
        case maths.Root(inside):
            return f"sqrt({_written(inside)})"
        case maths.Scripts(base, below, above):
            top = "" if above is None else f", t: {_written(above)}"
            bottom = "" if below is None else f", b: {_written(below)}"
            return f"attach({_written(base)}{top}{bottom})"
        case maths.Row(items, fenced):
            body = _joined(map(_written, items))
            return f"lr({body})" if fenced else body


def _joined(parts: Iterable[str]) -> str:
    """Parts side by side. Typst sets a space next to quoted words, and no other space."""
    out = ""
    for part in parts:
        out += part if not out or out.endswith('"') or part.startswith('"') else f" {part}"
    return out or _NOTHING


def _symbol(text: str, alphabet: str) -> str:
    if alphabet:
        shape = _STYLES.get(alphabet, "cal({})")
        return shape.format(_escaped(text))
    return _escaped(text)


def _escaped(text: str) -> str:
    """With every sign escaped that Typst would read as syntax."""
    return "".join(f"\\{c}" if c in _SYNTAX else c for c in text)
