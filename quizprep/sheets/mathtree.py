r"""A formula as a tree, from the subset of LaTeX that ``quizprep.content.mathtext`` allows.

One reading, several renderings: ``mathml`` and ``typst`` walk the same tree, so a formula that
passes ``mathtext.problems`` is set alike in every format. Reading never fails: what
``mathtext.problems`` complains about is for it to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quizprep.content import mathtext


@dataclass(frozen=True)
class Symbol:
    """A letter or a sign that stands for a thing: ``x``, ``θ``, ``∞``; ``style`` as in LaTeX."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Figure:
    """A number as it is written."""

    text: str


@dataclass(frozen=True)
class Sign:
    """An operator, a relation, a bracket or a comma; ``stretches`` with what it encloses."""

    text: str
    stretches: bool = False


@dataclass(frozen=True)
class Words:
    r"""Upright text among mathematics: ``\text{KV heads}``."""

    text: str


@dataclass(frozen=True)
class Name:
    r"""A function's name: ``\exp``, ``\operatorname{diag}``."""

    text: str


@dataclass(frozen=True)
class Gap:
    """Space, in em."""

    width: float


@dataclass(frozen=True)
class Fraction:
    above: Node
    below: Node


@dataclass(frozen=True)
class Root:
    inside: Node


@dataclass(frozen=True)
class Scripts:
    """A base with an index, a power, or both."""

    base: Node
    below: Node | None
    above: Node | None


@dataclass(frozen=True)
class Row:
    """Things side by side; ``fenced`` where its first and last are brackets that stretch."""

    items: tuple[Node, ...]
    fenced: bool = False


Node = Symbol | Figure | Sign | Words | Name | Gap | Fraction | Root | Scripts | Row

BIG = frozenset("∑∏")
BREAKS = frozenset("=<>≤≥≠≈∼∝≪≫→⇒+−·×")
"""Relations and operators, after which a formula may break."""
_OPENING = frozenset("([{⌊⌈")
_CLOSING = frozenset(")]}⌋⌉")
_SIGNS = frozenset("+-−*/=<>()[]{}|‖,;:!.·×⊙±∣⌊⌋⌈⌉")
_WIDTHS = {"quad": 1.0, "qquad": 2.0, ",": 1 / 6, ":": 2 / 9, ";": 5 / 18, " ": 1 / 3, "!": -1 / 6}
_STYLES = {"mathbf": "bold", "mathit": "italic", "mathbb": "double-struck", "mathcal": "script"}


def read(latex: str) -> Node:
    """The tree of a formula, given without its dollars."""
    return _Reader(latex).row("")


@dataclass
class _Reader:
    source: str
    place: int = 0
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = mathtext.TOKEN.findall(self.source)

    def _peek(self) -> str | None:
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def row(self, end: str) -> Node:
        """Items up to the token that ends them, which is not taken."""
        items: list[Node] = []
        while (token := self._peek()) is not None and token != end:
            if token in "^_":
                self.place += 1
                base = items.pop() if items else Row(())
                items.append(_scripted(base, token, self._operand()))
            elif token == "'":
                self.place += 1
                base = items.pop() if items else Row(())
                items.append(_scripted(base, "^", Symbol("′")))
            else:
                items.append(self._item())
        return items[0] if len(items) == 1 else Row(tuple(items))

    def _operand(self) -> Node:
        return Row(()) if self._peek() is None else self._item()

    def _item(self) -> Node:
        token = self._peek()
        assert token is not None
        self.place += 1
        if token == "{":
            inner = self.row("}")
            self.place += 1
            return inner
        if token.startswith("\\"):
            return self._command(token[1:])
        return _character(token)

    def _command(self, name: str) -> Node:
        if name == "frac":
            above = self._operand()
            return Fraction(above, self._operand())
        if name == "sqrt":
            return Root(self._operand())
        if name == "left":
            return self._fenced()
        if name in mathtext.SIZES:
            return Row(())
        if name in mathtext.WRAPPERS:
            return _styled(name, self._verbatim())
        if name in mathtext.FUNCTIONS:
            return Name(name)
        if name in mathtext.SPACES:
            return Gap(_WIDTHS[name])
        if name in mathtext.SPACED:
            # A terminal shows the ASCII tilde; in type the relation has a sign of its own.
            return Sign(mathtext.SPACED[name].replace("~", "∼"))
        text = mathtext.SYMBOLS.get(name) or mathtext.LITERALS.get(name, name)
        return Sign(text) if text in _SIGNS | BIG else Symbol(text)

    def _fenced(self) -> Node:
        opening = self._delimiter()
        inner = self.row("\\right")
        self.place += 1
        closing = self._delimiter()
        items = inner.items if isinstance(inner, Row) and not inner.fenced else (inner,)
        return Row((*opening, *items, *closing), fenced=True)

    def _delimiter(self) -> tuple[Node, ...]:
        token = self._peek()
        if token is None or token == "}":
            return ()
        item = self._item()
        if isinstance(item, Sign):
            return () if item.text == "." else (Sign(item.text, stretches=True),)
        return (item,)

    def _verbatim(self) -> str:
        """The braces after ``\\text`` and its kin, in which spaces count."""
        if self._peek() != "{":
            return ""
        self.place += 1
        out = ""
        while self.place < len(self.tokens) and (token := self.tokens[self.place]) != "}":
            name = token[1:]
            if token.startswith("\\"):
                out += mathtext.LITERALS.get(name, mathtext.SPACES.get(name, name))
            else:
                out += token
            self.place += 1
        self.place += 1
        return out


def _scripted(base: Node, mark: str, script: Node) -> Node:
    below, above = (script, None) if mark == "_" else (None, script)
    if isinstance(base, Scripts):
        if mark == "_" and base.below is None:
            return Scripts(base.base, script, base.above)
        if mark == "^" and base.above is None:
            return Scripts(base.base, base.below, script)
    return Scripts(base, below, above)


def _character(token: str) -> Node:
    if token[0].isdigit():
        return Figure(token)
    if token in _SIGNS:
        return Sign({"-": "−", "*": "∗"}.get(token, token))
    return Symbol(token)


def _styled(name: str, text: str) -> Node:
    if name == "operatorname":
        return Name(text)
    if name in ("text", "mathrm"):
        return Words(text)
    return Row(tuple(Symbol(c, _STYLES[name]) for c in text if not c.isspace()))


def parts_of(items: Sequence[Node]) -> list[list[Node]]:
    """Stretches that end with an operator; nothing between brackets is parted."""
    parts: list[list[Node]] = []
    held: list[Node] = []
    depth = 0
    for item in items:
        held.append(item)
        if isinstance(item, Sign):
            depth += (item.text in _OPENING) - (item.text in _CLOSING)
            if depth == 0 and len(held) > 1 and item.text in BREAKS:
                parts.append(held)
                held = []
    return [*parts, held] if held else parts
