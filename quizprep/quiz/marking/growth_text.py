"""Reading a big-O expression as people write one: ``O(n²d)``, ``n^2 d``, ``d n**2``, ``n log n``.

Neighbours are multiplied, letters that stand together are split into the question's symbols,
and ``O(...)`` is only a pair of brackets. ``sqrt(n)`` and ``log n`` become symbols of their own,
with the relations that tie them to ``n``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from quizprep.formula import MAX_TEXT, FormulaError, Polynomial, Relation, parse, relation
from quizprep.quiz.marking.reply import plain_signs

MAX_TERMS = 12
_BIG_O = re.compile(r"(?:\\?(?:theta|omicron|big-?o|order)|[OΘΟ])\s*(?=\()", re.IGNORECASE)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_α-ω]\w*)|(?P<sign>\*\*|[-+*/()]))"
)
_LOGS = ("log", "log2", "ln", "lg")


@dataclass(frozen=True)
class GrowthText:
    """The polynomial that was typed, and the relations of the roots and logarithms in it."""

    polynomial: Polynomial
    where: tuple[Relation, ...]


def read_growth(text: str, symbols: Collection[str]) -> GrowthText:
    """The growth a reply states over the symbols; raises FormulaError that says what is wrong."""
    if len(text) > MAX_TEXT:
        raise FormulaError(f"is longer than {MAX_TEXT} characters")
    tidy = re.sub(r"√\s*", " sqrt ", plain_signs(text, "**").strip().rstrip("."))
    if "O" not in symbols:
        tidy = _BIG_O.sub(" ", tidy)
    reader = _Reader(_tokens(tidy, symbols))
    formula = reader.expression()
    if reader.place < len(reader.tokens):
        raise FormulaError(f"cannot be read from {reader.tokens[reader.place]!r} on")
    polynomial = parse(formula).expand()
    if not polynomial.terms:
        raise FormulaError("is nothing at all")
    if len(polynomial.terms) > MAX_TERMS:
        raise FormulaError(f"has more than {MAX_TERMS} terms")
    return GrowthText(polynomial, tuple(reader.where.values()))


def _tokens(text: str, symbols: Collection[str]) -> list[str]:
    tokens: list[str] = []
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise FormulaError(f"uses something that is not allowed: {text[place:].strip()[:20]!r}")
        place = found.end()
        if found["word"]:
            tokens += _words(found["word"], symbols)
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
    """The word cut into symbols, logarithms and roots, longest first."""
    if not word:
        return []
    names = sorted({*symbols, *_LOGS, "sqrt"}, key=len, reverse=True)
    # best[i]: how word[i:] is cut; filled from the end, so a long word costs no more than that.
    best: list[list[str] | None] = [None] * len(word) + [[]]
    for start in reversed(range(len(word))):
        for name in names:
            rest = best[start + len(name)] if word.startswith(name, start) else None
            if rest is not None:
                best[start] = [name, *rest]
                break
    return best[0]


class _Reader:
    """Tokens to the text of a formula, with the products written out."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.place = 0
        self.depth = 0
        self.where: dict[str, Relation] = {}

    def _peek(self) -> str | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _take(self) -> str:
        token = self._peek()
        if token is None:
            raise FormulaError("stops in the middle")
        self.place += 1
        return token

    def expression(self) -> str:
        sign = self._take() if self._peek() in ("+", "-") else ""
        text = sign + self._product()
        while self._peek() in ("+", "-"):
            text += self._take() + self._product()
        return text

    def _product(self) -> str:
        text = self._power()
        while (token := self._peek()) is not None and token not in ("+", "-", ")"):
            operator = self._take() if token in ("*", "/") else "*"
            text += operator + self._power()
        return text

    def _power(self) -> str:
        base = self._atom()
        if self._peek() != "**":
            return base
        self._take()
        exponent = self._exponent()
        if exponent.denominator == 1:
            return f"{base}**{exponent}" if exponent >= 0 else f"{base}**({exponent})"
        if exponent.denominator == 2 and base.isidentifier() and exponent > 0:
            root = self._root(base)
            return f"{root}**{exponent.numerator}"
        raise FormulaError("has a power that is not a whole number")

    def _exponent(self) -> Fraction:
        token = self._take()
        if token == "-":
            return -self._exponent()
        if token == "(":
            negative = self._peek() == "-"
            if negative:
                self._take()
            value = self._number()
            if self._peek() == "/":
                self._take()
                below = self._number()
                if not below:
                    raise FormulaError("divides by zero")
                value /= below
            if self._take() != ")":
                raise FormulaError("has a power that is not a number")
            return -value if negative else value
        self.place -= 1
        return self._number()

    def _number(self) -> Fraction:
        token = self._take()
        if not token[0].isdigit() or len(token) > 6:
            raise FormulaError("has a power that is not a small number")
        return Fraction(token)

    def _atom(self) -> str:
        token = self._take()
        if token == "(":
            return self._bracket()
        if token == "sqrt":
            return self._root(self._argument("sqrt"))
        if token in _LOGS:
            power = self._log_power()
            name = self._argument(token)
            log = f"log_{name}"
            self.where[log] = relation(f"{log}**8 <= {name}")
            return f"{log}**{power}" if power > 1 else log
        if token[0].isdigit() or token.isidentifier():
            return token
        raise FormulaError(f"has a {token!r} where a symbol should stand")

    def _bracket(self) -> str:
        self.depth += 1
        if self.depth > 20:
            raise FormulaError("is nested too deeply")
        inner = self.expression()
        if self._take() != ")":
            raise FormulaError("has a bracket that is not closed")
        self.depth -= 1
        return f"({inner})"

    def _argument(self, function: str) -> str:
        """The symbol inside ``log(n)`` or after ``log n``."""
        opened = self._peek() == "("
        if opened:
            self._take()
        name = self._take()
        if not name.isidentifier() or name in (*_LOGS, "sqrt"):
            raise FormulaError(f"takes the {function} of something that is not one symbol")
        if opened and self._take() != ")":
            raise FormulaError(f"takes the {function} of something that is not one symbol")
        return name

    def _log_power(self) -> int:
        """The 2 of ``log^2 n``."""
        if self._peek() != "**":
            return 1
        self._take()
        power = self._exponent()
        if power.denominator != 1 or not 1 <= power <= 8:
            raise FormulaError("has a power that is not a small whole number")
        return int(power)

    def _root(self, name: str) -> str:
        root = f"sqrt_{name}"
        self.where[root] = relation(f"{root}**2 <= {name}")
        self.where[f"{root} back"] = relation(f"{name} <= {root}**2")
        return root
