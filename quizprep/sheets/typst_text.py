"""Texts and formulas in Typst's own syntax.

Words are passed as strings and every ASCII sign of a formula is escaped, so nothing in a text
can be taken for markup, and a comma inside a fraction is not one between its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable

from quizprep.maths import (
    Digits,
    Fraction,
    Gap,
    Name,
    Node,
    Root,
    Row,
    Scripts,
    Sign,
    Symbol,
    Text,
    parse,
)
from quizprep.sheets.prose import Bullets, Code, Line, Math, Prose, Words, break_apart

_STYLES = {"bold": "bold(upright({}))", "italic": "italic({})", "double-struck": "bb({})"}
_SYNTAX = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~⌊⌋⌈⌉‖")
_NOTHING = '""'


def prose_typst(text: Prose) -> str:
    """Paragraphs and lists, separated by empty lines."""
    parts = []
    for block in text:
        if isinstance(block, Bullets):
            items = "".join(f"[{line_typst(item)}], " for item in block.items)
            parts.append(f"#{'enum' if block.numbered else 'list'}({items})")
        else:
            parts.append(line_typst(block.line))
    return "\n\n".join(parts)


def line_typst(line: Line) -> str:
    """Words, code and formulas of one line."""
    out = ""
    for item in line:
        match item:
            case Words(text=text):
                out += words_typst(text)
            case Code(text=text):
                out += f"#raw({string(text)});"
            case Math(latex=latex):
                out += math_typst(latex)
    return out


def words_typst(text: str) -> str:
    """Words in which nothing is markup."""
    # The semicolon ends the expression: what follows may begin with a dot or a bracket.
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
    """A formula in a column: one that cannot break is made as small as the column needs."""
    node = parse(latex).tree
    whole = not isinstance(node, Row) or node.fenced or len(break_apart(node.items)) == 1
    return f"#fit[{math_typst(latex)}]" if whole else math_typst(latex)


def _written(node: Node) -> str:
    match node:
        case Symbol(text=text, alphabet=alphabet):
            return _symbol(text, alphabet)
        case Digits(text=text):
            return text
        case Sign(text=text):
            return _escaped(text)
        case Text(text=text):
            return string(text)
        case Name(text=text):
            return f"op({string(text)})"
        case Gap(width=width):
            return f"#h({width:.3g}em);"
        case Fraction(above=above, below=below):
            return f"frac({_written(above)}, {_written(below)})"
        case Root(inside=inside):
            return f"sqrt({_written(inside)})"
        case Scripts(base=base, below=below, above=above):
            top = "" if above is None else f", t: {_written(above)}"
            bottom = "" if below is None else f", b: {_written(below)}"
            return f"attach({_written(base)}{top}{bottom})"
        case Row(items=items, fenced=fenced):
            body = _joined(map(_written, items))
            return f"lr({body})" if fenced else body


def _joined(parts: Iterable[str]) -> str:
    """Side by side; Typst sets a space that stands beside quoted words, and no other."""
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
    """Signs that Typst would read as syntax, its own brackets among them, as mere signs."""
    return "".join(f"\\{c}" if c in _SYNTAX else c for c in text)
