"""Formulas as MathML Core, which browsers set without a script or a font of ours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

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
from quizprep.sheets.prose import BREAKS, break_apart

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_TIGHT = frozenset("/")
_UNBROKEN = 24
"""A formula of about so many characters fits on a line of a phone beside words."""
_LINE = 30
"""About so many fit on a line of their own there."""

# Letters that Unicode put elsewhere than the rest of their alphabet.
_STRAYS = {
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
    "italic": {"h": "ℎ"},
    "bold": {},
}
_ALPHABETS = {
    "script": (0x1D49C, 0x1D4B6, None),
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "italic": (0x1D434, 0x1D44E, None),
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
}


def mathml(latex: str, display: bool = False) -> str:
    """A ``<math>`` element for a formula given without its dollars.

    display  set with the room of a formula that has a line to itself
    """
    style = ' displaystyle="true"' if display else ""
    return f'<math xmlns="{_NAMESPACE}"{style}>{_element(parse(latex).tree)}</math>'


def breakable(latex: str, display: bool = False) -> str:
    """A formula in a line of text: a long one may break after a relation or an operator.

    Browsers never break inside ``<math>``, so it is several of them; on a phone a long product
    would run off the page otherwise.
    """
    node = parse(latex).tree
    if not isinstance(node, Row) or node.fenced or _length(node) <= _UNBROKEN:
        return mathml(latex, display)
    style = ' displaystyle="true"' if display else ""
    parts = [_row(part) for part in break_apart(node.items)]
    for place, part in enumerate(parts[:-1]):
        # The space after the operator is one between words, which goes where the line breaks.
        before, _, after = part.rpartition("<mo>")
        parts[place] = f'{before}<mo form="infix" lspace="0.24em" rspace="0">{after}'
    return " ".join(
        f'<math xmlns="{_NAMESPACE}"{style}><mrow>{part}</mrow></math>' for part in parts
    )


def is_wide(latex: str) -> bool:
    """Whether some part of a formula that cannot break may be wider than a phone."""
    node = parse(latex).tree
    parts = break_apart(node.items) if isinstance(node, Row) and not node.fenced else [[node]]
    return any(sum(map(_length, part)) > _LINE for part in parts)


def _length(node: Node) -> int:
    """About how many characters wide a formula is."""
    match node:
        case Row(items=items):
            return sum(map(_length, items))
        case Fraction(above=above, below=below):
            return max(_length(above), _length(below))
        case Root(inside=inside):
            return 1 + _length(inside)
        case Scripts(base=base, below=below, above=above):
            return _length(base) + max(_length(s) for s in (below, above) if s is not None) // 2
        case Gap():
            return 1
        case Sign(text=text):
            return 3 if text in BREAKS else 1
        case Symbol(text=text) | Digits(text=text) | Text(text=text) | Name(text=text):
            return len(text)


def _element(node: Node) -> str:
    match node:
        case Symbol(text=text, alphabet=alphabet):
            return _symbol(text, alphabet)
        case Digits(text=text):
            return f"<mn>{escape(text)}</mn>"
        case Sign(text=text, stretches=stretches):
            return _sign(text, stretches)
        case Text(text=text):
            # Not <mtext>, which counts as space: an operator beside it would lose its own.
            hard = escape(text).replace(" ", "&#160;")
            return f'<mi mathvariant="normal">{hard}</mi>'
        case Name(text=text):
            return f'<mi mathvariant="normal">{escape(text)}</mi>'
        case Gap(width=width):
            return f'<mspace width="{width:.3g}em"></mspace>'
        case Fraction(above=above, below=below):
            return f"<mfrac>{_element(above)}{_element(below)}</mfrac>"
        case Root(inside=inside):
            return f"<msqrt>{_element(inside)}</msqrt>"
        case Scripts():
            return _scripts(node)
        case Row(items=items):
            return f"<mrow>{_row(items)}</mrow>"


def _row(items: Sequence[Node]) -> str:
    out = ""
    for item, after in zip(items, [*items[1:], None], strict=False):
        out += _element(item)
        if _is_name(item) and after is not None and not _hugs(after):
            out += '<mspace width="0.167em"></mspace>'
    return out


def _is_name(node: Node) -> bool:
    return isinstance(node, Name) or (isinstance(node, Scripts) and isinstance(node.base, Name))


def _hugs(after: Node) -> bool:
    """Whether a function's name needs no space before this: a bracket, or a sign with its own."""
    if isinstance(after, Row) and after.items:
        return _hugs(after.items[0])
    return isinstance(after, Sign | Gap)


def _sign(text: str, stretches: bool) -> str:
    attributes = f' stretchy="{str(stretches).lower()}"' if text in "()[]{}|‖⌊⌋⌈⌉" else ""
    if text in _TIGHT or text in "|‖!":
        attributes += ' lspace="0" rspace="0"'
    return f"<mo{attributes}>{escape(text)}</mo>"


def _symbol(text: str, alphabet: str) -> str:
    if alphabet:
        return f"<mi>{''.join(_variant(c, alphabet) for c in text)}</mi>"
    # MathML slants a lone letter; capital Greek letters and signs stand upright in mathematics.
    upright = (
        "" if text.isascii() or (text.isalpha() and text.islower()) else ' mathvariant="normal"'
    )
    return f"<mi{upright}>{escape(text)}</mi>"


def _variant(letter: str, alphabet: str) -> str:
    """A letter in a mathematical alphabet of Unicode; browsers ignore most ``mathvariant``."""
    if letter in _STRAYS[alphabet]:
        return _STRAYS[alphabet][letter]
    upper, lower, digit = _ALPHABETS[alphabet]
    if "A" <= letter <= "Z":
        return chr(upper + ord(letter) - ord("A"))
    if "a" <= letter <= "z":
        return chr(lower + ord(letter) - ord("a"))
    if digit is not None and "0" <= letter <= "9":
        return chr(digit + ord(letter) - ord("0"))
    return escape(letter)


def _scripts(node: Scripts) -> str:
    base = _element(node.base)
    if node.below is None:
        assert node.above is not None
        return f"<msup>{base}{_element(node.above)}</msup>"
    if node.above is None:
        return f"<msub>{base}{_element(node.below)}</msub>"
    return f"<msubsup>{base}{_element(node.below)}{_element(node.above)}</msubsup>"
