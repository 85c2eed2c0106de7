r"""Mathematics in texts: ``$...$`` holds a small subset of LaTeX, read once into a tree.

``parse`` gives the tree of a formula and the problems of its LaTeX; it never fails. Writers walk
the tree: ``plain`` here, for terminals (``$\frac{q \cdot k}{\sqrt{d}}$`` becomes ``q·k/√d``),
MathML and Typst in ``quizprep.sheets``. ``\$`` is a literal dollar, in or outside mathematics.
"""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

MAX_DEPTH = 20

_DOLLAR = re.compile(r"(?<!\\)\$")
_MATH = re.compile(r"((?<!\\)\$.*?(?<!\\)\$)", re.DOTALL)
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|.", re.DOTALL)

SYMBOLS = {
    "cdot": "·", "times": "×", "infty": "∞", "top": "⊤", "sum": "∑", "prod": "∏", "odot": "⊙",
    "ldots": "…", "dots": "…", "cdots": "⋯", "partial": "∂", "ell": "ℓ", "forall": "∀",
    "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "mid": "|", "prime": "′",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ",
    "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
RELATIONS = {
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼",
    "propto": "∝", "ll": "≪", "gg": "≫", "in": "∈", "notin": "∉", "to": "→", "rightarrow": "→",
    "Rightarrow": "⇒", "pm": "±", "equiv": "≡",
}  # fmt: skip
FUNCTIONS = {"exp", "log", "ln", "max", "min", "sin", "cos", "arg", "det", "Pr"}
SPACES = {
    "quad": ("  ", 1.0), "qquad": ("    ", 2.0), ",": (" ", 1 / 6), ":": (" ", 2 / 9),
    ";": (" ", 5 / 18), " ": (" ", 1 / 3), "!": ("", -1 / 6),
}  # fmt: skip
"""Each space as characters in a text, and its width in em in a formula."""
LITERALS = {"{": "{", "}": "}", "%": "%", "$": "$", "_": "_", "&": "&", "#": "#", "|": "‖"}
ALPHABETS = {"mathbf": "bold", "mathit": "italic", "mathbb": "double-struck", "mathcal": "script"}
WRAPPERS = {"text", "mathrm", "operatorname", *ALPHABETS}
_SIZES = {"left", "right", "big", "Big", "bigl", "bigr"}

_SIGNS = frozenset("+-−*/=<>()[]{}|‖,;:!.·×⊙±∣⌊⌋⌈⌉∑∏")


class Symbol(Struct, frozen=True):
    """A variable or a constant: ``x``, ``θ``, ``∞``; ``alphabet`` is a value of ALPHABETS."""

    text: str
    alphabet: str = ""


class Digits(Struct, frozen=True):
    """A number as it is written."""

    text: str


class Sign(Struct, frozen=True):
    """An operator, relation, bracket or comma; ``stretches`` with what the brackets enclose."""

    text: str
    stretches: bool = False


class Text(Struct, frozen=True):
    r"""Upright text among mathematics: ``\text{KV heads}``."""

    text: str


class Name(Struct, frozen=True):
    r"""A function's name: ``\exp``, ``\operatorname{diag}``."""

    text: str


class Gap(Struct, frozen=True):
    """Space, in em."""

    width: float


class Fraction(Struct, frozen=True):
    above: Node
    below: Node


class Root(Struct, frozen=True):
    inside: Node


class Scripts(Struct, frozen=True):
    """A base with a subscript, a superscript, or both."""

    base: Node
    below: Node | None
    above: Node | None


class Row(Struct, frozen=True):
    """Nodes side by side; ``fenced`` where the first and the last are brackets that stretch."""

    items: tuple[Node, ...]
    fenced: bool = False


Node = Symbol | Digits | Sign | Text | Name | Gap | Fraction | Root | Scripts | Row

_NOTHING = Row(())
_PRIME = Symbol("′")


class Parsed(Struct, frozen=True):
    """A formula's tree, and what is wrong with its LaTeX, as sentences."""

    tree: Node
    problems: tuple[str, ...]


class Piece(Struct, frozen=True):
    """A stretch of a text: either mathematics with its dollars, or words."""

    text: str
    is_math: bool


def split_math(text: str) -> list[Piece]:
    """The pieces of a text, in order; joined they are the text. An odd last ``$`` is words."""
    parts = enumerate(_MATH.split(text))
    return [Piece(part, is_math=place % 2 == 1) for place, part in parts if part]


def problems(text: str) -> list[str]:
    """What is wrong with the mathematics of a text, as sentences; empty when all is well."""
    found: list[str] = []
    if len(_DOLLAR.findall(text)) % 2:
        found.append(r"has a $ without its partner; write \$ for a dollar sign")
    for piece in split_math(text):
        if piece.is_math:
            clipped = piece.text if len(piece.text) <= 60 else f"{piece.text[:57]}..."
            found += [f"{each} in {clipped}" for each in parse(piece.text[1:-1]).problems]
    return found


def plain(text: str) -> str:
    """The text for a terminal: mathematics in Unicode, without dollars. Never raises."""
    return "".join(
        re.sub(r" {2,}", " ", _written(parse(piece.text[1:-1]).tree)).strip()
        if piece.is_math
        else piece.text.replace(r"\$", "$")
        for piece in split_math(text)
    )


@lru_cache(maxsize=1024)
def parse(latex: str) -> Parsed:
    """The tree of a formula, given without its dollars."""
    parser = _Parser(latex)
    if not latex.strip():
        parser.problems.append("nothing stands between the dollars")
    tree = parser.row()
    return Parsed(tree, tuple(parser.problems))


class _Parser:
    """A recursive descent parser that records faults and goes on."""

    def __init__(self, latex: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(latex)
        self.problems: list[str] = []
        self.place = 0
        self.depth = 0
        self.braces = 0

    def _peek(self) -> str | None:
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def row(self, end: str = "") -> Node:
        """Nodes up to the ``end`` token or the brace that closes the group; neither is consumed."""
        items: list[Node] = []
        marks = ""
        while (token := self._peek()) is not None and token != end:
            if token == "}":
                if self.braces:
                    break
                self.problems.append("a } closes nothing")
                self.place += 1
            elif token in ("^", "_"):
                self.place += 1
                if token in marks:
                    self.problems.append(f"two {token} on one base; use braces")
                marks += token
                base = items.pop() if items else _NOTHING
                items.append(_scripted(base, token, self._argument(token)))
            elif token == "'":
                self.place += 1
                marks = ""
                items.append(_scripted(items.pop() if items else _NOTHING, "^", _PRIME))
            else:
                marks = ""
                items.append(self._item())
        return items[0] if len(items) == 1 else Row(tuple(items))

    def _argument(self, owner: str) -> Node:
        token = self._peek()
        if token is None or token in ("}", "^", "_"):
            self.problems.append(f"{owner} has nothing to act on")
            return _NOTHING
        return self._item()

    def _item(self) -> Node:
        token = self._peek()
        assert token is not None
        self.place += 1
        if self.depth == MAX_DEPTH:
            self.problems.append("is nested too deeply")
            self.place = len(self.tokens)
            return _NOTHING
        self.depth += 1
        if token == "{":
            item = self._group()
        elif token.startswith("\\"):
            item = self._command(token[1:])
        elif token[0].isdigit():
            item = Digits(token)
        elif token in _SIGNS:
            item = Sign({"-": "−", "*": "∗"}.get(token, token))
        else:
            item = Symbol(token)
        self.depth -= 1
        return item

    def _group(self) -> Node:
        self.braces += 1
        inner = self.row()
        self.braces -= 1
        if self._peek() is None:
            self.problems.append("a { is never closed")
        self.place += 1
        return inner

    def _command(self, name: str) -> Node:
        if name == "frac":
            above = self._argument(r"\frac")
            return Fraction(above, self._argument(r"\frac"))
        if name == "sqrt":
            return Root(self._argument(r"\sqrt"))
        if name == "left":
            return self._fenced()
        if name in WRAPPERS:
            return _styled(name, self._verbatim(name))
        if name in FUNCTIONS:
            return Name(name)
        if name in SPACES:
            return Gap(SPACES[name][1])
        if name in RELATIONS:
            return Sign(RELATIONS[name])
        if name in _SIZES:
            return _NOTHING
        text = SYMBOLS.get(name) or LITERALS.get(name)
        if text is None:
            self.problems.append(f"the command \\{name} is not in the subset that we typeset")
        return Sign(text) if text in _SIGNS else Symbol(text or name)

    def _fenced(self) -> Node:
        opening = self._delimiter()
        inner = self.row("\\right")
        closing: tuple[Node, ...] = ()
        if self._peek() == "\\right":
            self.place += 1
            closing = self._delimiter()
        items = inner.items if isinstance(inner, Row) and not inner.fenced else (inner,)
        return Row((*opening, *items, *closing), fenced=True)

    def _delimiter(self) -> tuple[Node, ...]:
        if self._peek() in (None, "}", "^", "_"):
            return ()
        item = self._item()
        if isinstance(item, Sign):
            return () if item.text == "." else (Sign(item.text, stretches=True),)
        return (item,)

    def _verbatim(self, name: str) -> str:
        """The argument of a command of WRAPPERS, in which spaces count."""
        if self._peek() != "{":
            self.problems.append(f"\\{name} needs braces")
            return ""
        self.place += 1
        out = ""
        while self.place < len(self.tokens) and (token := self.tokens[self.place]) != "}":
            out += self._literal(token) if token.startswith("\\") else token
            self.place += 1
        if self.place == len(self.tokens):
            self.problems.append("a { is never closed")
        self.place += 1
        return out

    def _literal(self, token: str) -> str:
        name = token[1:]
        if name in SPACES:
            return SPACES[name][0]
        if name not in LITERALS:
            self.problems.append(f"the command {token} cannot stand among words")
        return LITERALS.get(name, name)


def _scripted(base: Node, mark: str, script: Node) -> Node:
    if isinstance(base, Scripts):
        if mark == "_" and base.below is None:
            return Scripts(base.base, script, base.above)
        if mark == "^" and base.above is None:
            return Scripts(base.base, base.below, script)
    return Scripts(base, script, None) if mark == "_" else Scripts(base, None, script)


def _styled(name: str, text: str) -> Node:
    if name == "operatorname":
        return Name(text)
    if name in ("text", "mathrm"):
        return Text(text)
    return Row(tuple(Symbol(c, ALPHABETS[name]) for c in text if not c.isspace()))


_UP = dict(zip("0123456789+-=()nidkthmTw⊤′", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵈᵏᵗʰᵐᵀʷᵀ′", strict=True))
_DOWN = dict(zip("0123456789+-=()aeijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_DOUBLE_STRUCK = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "E": "𝔼"}
_ASCII = {"−": "-", "∗": "*", "∼": "~"}
_SPACED = frozenset(RELATIONS.values())
_FACTOR = re.compile(r"\d+(\.\d+)?|√?\w[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵀ₀-₉ₐ-ₜᵢⱼᵣᵤᵥ]*|∞")
_PRODUCT = re.compile(r"[\w√.·×∞⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵀ]+")


def _written(node: Node) -> str:
    match node:
        case Symbol(text, alphabet):
            return _DOUBLE_STRUCK.get(text, text) if alphabet == "double-struck" else text
        case Digits(text) | Text(text) | Name(text):
            return text
        case Sign(text):
            ascii_text = _ASCII.get(text, text)
            return f" {ascii_text} " if text in _SPACED else ascii_text
        case Gap(width):
            return " " if width > 0 else ""
        case Fraction(above, below):
            return f"{_grouped(above, _PRODUCT)}/{_grouped(below, _FACTOR)}"
        case Root(inside):
            return f"√{_grouped(inside, _FACTOR)}"
        case Scripts(base, below, above):
            text = _written(base)
            text = f"({text})" if isinstance(base, Fraction) else text
            return text + _script("_", below) + _script("^", above)
        case Row(items):
            return _side_by_side(items)


def _grouped(node: Node, shape: re.Pattern[str]) -> str:
    """A node in brackets, unless its text has the shape of one operand."""
    text = _written(node).strip()
    return text if shape.fullmatch(text) else f"({text})"


def _script(mark: str, node: Node | None) -> str:
    if node is None:
        return ""
    text = _written(node).replace(" ", "")
    letters = _UP if mark == "^" else _DOWN
    if text and all(c in letters for c in text):
        return "".join(letters[c] for c in text)
    return f"{mark}{text}" if len(text) <= 1 else f"{mark}({text})"


def _side_by_side(items: tuple[Node, ...]) -> str:
    """Nodes joined: signs and relations get spaces, and words do not run together."""
    out = ""
    texts = [_written(item) for item in items]
    for place, (item, text) in enumerate(zip(items, texts, strict=True)):
        before = items[place - 1] if place else _NOTHING
        after = texts[place + 1] if place + 1 < len(texts) else ""
        if isinstance(item, Fraction) and (_sticks(after[:1]) or _sticks(out[-1:])):
            text = f"({text})"
        if text in ("=", "<", ">", "+") or (text == "-" and _ends_operand(out)):
            out = f"{out.rstrip()} {text} "
        elif text == ",":
            out += ", "
        elif (_is_word(item) or _is_word(before)) and _sticks(out[-1:]) and _sticks(text[:1]):
            out += f" {text}"
        else:
            out += text
    return out


def _is_word(node: Node) -> bool:
    return isinstance(node.base if isinstance(node, Scripts) else node, Text | Name)


def _sticks(character: str) -> bool:
    """Whether a word next to the character would run into it."""
    return character.isalnum() or character in tuple("√∑∞⊤")


def _ends_operand(text: str) -> bool:
    """Whether a minus after the text subtracts; otherwise it is a sign."""
    return bool(text) and text[-1] not in " (,-+[/"
