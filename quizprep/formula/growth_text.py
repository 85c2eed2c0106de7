"""Reading a big-O expression as people write one: ``O(n²d)``, ``n^2 d``, ``d n**2``, ``n log n``.

Neighbours are multiplied, letters that stand together are split into the question's symbols,
and ``O(...)`` is only a pair of brackets. ``sqrt(n)`` and ``log n`` become symbols of their own,
with the relations that tie them to ``n``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from quizprep.formula import MAX_TEXT, FormulaError, Polynomial, Relation, parse, relation
from quizprep.text import plain_signs

MAX_TERMS = 12
BIG_O = re.compile(r"(?:\\?(?:theta|omicron|big-?o|order)|[OΘΟ])\s*(?=\()", re.IGNORECASE)
_DECIMAL = r"\d+(?:\.\d+)?"
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{_DECIMAL})|(?P<word>[A-Za-z_α-ω]\w*)"
    rf"|\*\*\s*(?:\(\s*(?P<power>-?\s*(?:\d+\s*/\s*\d+|{_DECIMAL}))\s*\)|(?P<bare>-?\s*{_DECIMAL}))"
    r"|(?P<sign>[-+*/()]))"
)
_LOGS = ("log", "log2", "ln", "lg")
_ENDS_FACTOR = re.compile(r"[\w)]$")
_BEGINS_FACTOR = re.compile(r"[\w(]")


@dataclass(frozen=True)
class GrowthText:
    """The polynomial that was typed, and the relations of its roots and logarithms."""

    polynomial: Polynomial
    where: tuple[Relation, ...]


def read_growth(
    text: str, symbols: Collection[str], also: Mapping[str, str] | None = None
) -> GrowthText:
    """The growth that a reply states; raises FormulaError, which says what is wrong.

    also  other names that may be used, each with its formula over the symbols
    """
    meaning = also or {}
    if len(text) > MAX_TEXT:
        raise FormulaError(f"is longer than {MAX_TEXT} characters")
    tidy = re.sub(r"√\s*", " sqrt ", plain_signs(text, "**").strip().rstrip("."))
    if "O" not in symbols:
        tidy = BIG_O.sub(" ", tidy)
    tokens = _tokens(tidy, (*symbols, *meaning))
    formula, where = _written_out([f"({meaning[t]})" if t in meaning else t for t in tokens])
    polynomial = parse(formula).expand()
    if not polynomial.terms:
        raise FormulaError("is nothing at all")
    if len(polynomial.terms) > MAX_TERMS:
        raise FormulaError(f"has more than {MAX_TERMS} terms")
    return GrowthText(polynomial, where)


def _tokens(text: str, symbols: Collection[str]) -> list[str]:
    """Numbers, symbols, functions and signs; ``**`` and its exponent are one token."""
    tokens: list[str] = []
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise FormulaError(f"uses something that is not allowed: {text[place:].strip()[:20]!r}")
        place = found.end()
        if found["word"]:
            tokens += _words(found["word"], symbols)
        elif power := found["power"] or found["bare"]:
            tokens.append(f"**{''.join(power.split())}")
        else:
            tokens.append(found["number"] or found["sign"])
    return tokens


def _words(word: str, symbols: Collection[str]) -> list[str]:
    """A word as symbols: itself, or letters that stand together (``nd`` is n times d)."""
    if word.lower() in (*_LOGS, "sqrt") and word not in symbols:
        return [word.lower()]
    found = _split(word, symbols) or _split(word.lower(), {s.lower() for s in symbols})
    if found is None:
        known = ", ".join(symbols)
        raise FormulaError(f"uses {word[:20]!r}; the symbols are {known}")
    exact = {s.lower(): s for s in symbols}
    return [part if part in symbols or part.isdigit() else exact.get(part, part) for part in found]


def _split(word: str, symbols: Collection[str]) -> list[str] | None:
    """The word cut into symbols and functions, the longest names first."""
    if not word:
        return []
    names = sorted({*symbols, *_LOGS, "sqrt"}, key=len, reverse=True)
    # best[i] is how to cut word[i:]; filled from the end, the time is linear in the length.
    best: list[list[str] | None] = [None] * len(word) + [[]]
    for start in reversed(range(len(word))):
        for name in names:
            rest = best[start + len(name)] if word.startswith(name, start) else None
            if rest is not None:
                best[start] = [name, *rest]
                break
    return best[0]


def _written_out(tokens: Sequence[str]) -> tuple[str, tuple[Relation, ...]]:
    """The text of a formula: products written out, roots and logarithms as symbols.

    The relations tie each of these symbols to the symbol that it is the root or logarithm of.
    """
    pieces: list[str] = []
    where: list[Relation] = []
    rest = deque(tokens)
    while rest:
        piece = rest.popleft()
        if piece in _LOGS:
            power = _log_power(rest)
            name = _argument(piece, rest)
            where.append(relation(f"log_{name}**8 <= {name}"))
            piece = f"log_{name}{power}"
        elif piece == "sqrt":
            piece = _root(_argument(piece, rest), where)
        elif piece.startswith("**"):
            exponent = _exponent(piece)
            if exponent.denominator == 1:
                piece = f"**({exponent})"
            elif (
                exponent.denominator == 2 and exponent > 0 and pieces and pieces[-1].isidentifier()
            ):
                piece = f"{_root(pieces.pop(), where)}**{exponent.numerator}"
            else:
                raise FormulaError("has a power that is not a whole number")
        if pieces and _ENDS_FACTOR.search(pieces[-1]) and _BEGINS_FACTOR.match(piece):
            pieces.append("*")
        pieces.append(piece)
    return "".join(pieces), tuple(dict.fromkeys(where))


def _exponent(token: str) -> Fraction:
    try:
        return Fraction(token.removeprefix("**"))
    except ZeroDivisionError as error:
        raise FormulaError("divides by zero") from error


def _log_power(rest: deque[str]) -> str:
    """The power of ``log^2 n``, which stands before the argument."""
    if not rest or not rest[0].startswith("**"):
        return ""
    power = _exponent(rest.popleft())
    if power.denominator != 1 or not 1 <= power <= 8:
        raise FormulaError("has a power that is not a small whole number")
    return f"**{power}"


def _argument(function: str, rest: deque[str]) -> str:
    """The symbol inside ``log(n)`` or after ``log n``."""
    opened = bool(rest) and rest[0] == "("
    taken = [rest.popleft() for _ in range(min(len(rest), 3 if opened else 1))]
    name = "".join(taken).removeprefix("(").removesuffix(")")
    if not name.isidentifier() or name in (*_LOGS, "sqrt") or (opened and taken[-1] != ")"):
        raise FormulaError(f"takes the {function} of something that is not one symbol")
    return name


def _root(name: str, where: list[Relation]) -> str:
    root = f"sqrt_{name}"
    where += [relation(f"{root}**2 <= {name}"), relation(f"{name} <= {root}**2")]
    return root
