"""Formulas as MathML Core, which browsers set without a script or a font of ours."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Sequence
from html import escape

from quizprep import maths
from quizprep.maths import Node, parse
from quizprep.sheets.prose import BREAKS, break_apart

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_TIGHT = frozenset("/")
_UNBROKEN = 24
"""The width, in characters, of a formula that fits on a line of a phone beside words."""
_LINE = 30
"""The width of a formula that fits there on a line of its own."""


def mathml(latex: str, display: bool = False) -> str:
    """A ``<math>`` element for a formula given without its dollars.

    display  set with the room of a formula that has a line to itself
    """
    return _math(_element(parse(latex).tree), display)


def _math(inside: str, display: bool) -> str:
    style = ' displaystyle="true"' if display else ""
    return f'<math xmlns="{_NAMESPACE}"{style}>{inside}</math>'


def breakable(latex: str, display: bool = False) -> str:
    """A formula in a line of text; a long one may break after a relation or an operator.

    Browsers never break inside ``<math>``, so a long formula is several of them. Otherwise a
    long product would run off the page of a phone.
    """
    node = parse(latex).tree
    parts = [_row(part) for part in break_apart(node)]
    if len(parts) == 1 or _length(node) <= _UNBROKEN:
        return mathml(latex, display)
    for place, part in enumerate(parts[:-1]):
        # The space after the operator is one between words, which goes where the line breaks.
        before, _, after = part.rpartition("<mo>")
        parts[place] = f'{before}<mo form="infix" lspace="0.24em" rspace="0">{after}'
    return " ".join(_math(f"<mrow>{part}</mrow>", display) for part in parts)


def is_wide(latex: str) -> bool:
    """Whether some part of a formula that cannot break may be wider than a phone."""
    return any(sum(map(_length, part)) > _LINE for part in break_apart(parse(latex).tree))


def _length(node: Node) -> int:
    """About how many characters wide a formula is."""
    match node:
        case maths.Row(items):
            return sum(map(_length, items))
        case maths.Fraction(above, below):
            return max(_length(above), _length(below))
        case maths.Root(inside):
            return 1 + _length(inside)
        case maths.Scripts(base, below, above):
            return _length(base) + max(_length(s) for s in (below, above) if s is not None) // 2
        case maths.Gap():
            return 1
        case maths.Sign(text):
            return 3 if text in BREAKS else 1
        case maths.Symbol(text) | maths.Digits(text) | maths.Text(text) | maths.Name(text):
            return len(text)


def _element(node: Node) -> str:
    match node:
        case maths.Symbol(text, alphabet):
            return _symbol(text, alphabet)
        case maths.Digits(text):
            return f"<mn>{escape(text)}</mn>"
        case maths.Sign(text, stretches):
            return _sign(text, stretches)
        case maths.Text(text):
            # Not <mtext>, which counts as space: an operator beside it would lose its own.
            return _upright(escape(text).replace(" ", "&#160;"))
        case maths.Name(text):
            return _upright(escape(text))
        case maths.Gap(width):
            return f'<mspace width="{width:.3g}em"></mspace>'
        case maths.Fraction(above, below):
            return f"<mfrac>{_element(above)}{_element(below)}</mfrac>"
        case maths.Root(inside):
            return f"<msqrt>{_element(inside)}</msqrt>"
        case maths.Scripts(base, below, above):
            scripts = [_element(script) for script in (below, above) if script is not None]
            tag = f"m{'sub' if below is not None else ''}{'sup' if above is not None else ''}"
            return f"<{tag}>{_element(base)}{''.join(scripts)}</{tag}>"
        case maths.Row(items):
            return f"<mrow>{_row(items)}</mrow>"


def _row(items: Sequence[Node]) -> str:
    out = ""
    for item, after in zip(items, [*items[1:], None], strict=False):
        out += _element(item)
        if _is_name(item) and after is not None and not _hugs(after):
            out += '<mspace width="0.167em"></mspace>'
    return out


def _is_name(node: Node) -> bool:
    return isinstance(node.base if isinstance(node, maths.Scripts) else node, maths.Name)


def _hugs(after: Node) -> bool:
    """Whether a function's name needs no space before this: a bracket, or a sign with its own."""
    if isinstance(after, maths.Row) and after.items:
        return _hugs(after.items[0])
    return isinstance(after, maths.Sign | maths.Gap)


def _sign(text: str, stretches: bool) -> str:
    attributes = f' stretchy="{str(stretches).lower()}"' if text in "()[]{}|‖⌊⌋⌈⌉" else ""
    if text in _TIGHT or text in "|‖!":
        attributes += ' lspace="0" rspace="0"'
    return f"<mo{attributes}>{escape(text)}</mo>"


def _symbol(text: str, alphabet: str) -> str:
    if alphabet:
        return f"<mi>{''.join(_variant(c, alphabet) for c in text)}</mi>"
    # MathML slants a lone letter; capital Greek letters and signs stand upright in mathematics.
    slanted = text.isascii() or (text.isalpha() and text.islower())
    return f"<mi>{escape(text)}</mi>" if slanted else _upright(escape(text))


def _upright(escaped: str) -> str:
    return f'<mi mathvariant="normal">{escaped}</mi>'


def _variant(letter: str, alphabet: str) -> str:
    """A letter in a mathematical alphabet of Unicode; browsers ignore most ``mathvariant``."""
    shape = unicodedata.name(letter, "").removeprefix("LATIN ").replace("LETTER ", "")
    # Unicode had some letters, such as ℝ, before it had the rest of their alphabet.
    for name in (f"mathematical {alphabet} {shape}", f"{alphabet} {shape}"):
        with contextlib.suppress(KeyError):
            return unicodedata.lookup(_RENAMED.get(name, name))
    return escape(letter)


_RENAMED = {"mathematical italic SMALL H": "PLANCK CONSTANT"}
