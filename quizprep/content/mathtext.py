r"""Mathematics in texts: ``$...$`` holds a small subset of LaTeX.

Sheets typeset it; a terminal shows what ``plain`` makes of it: ``$\frac{q \cdot k}{\sqrt{d}}$``
becomes ``q·k/√d``. ``\$`` is a literal dollar, in or outside mathematics. ``problems`` names
everything outside the subset, so that both renderings are known to work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_DEPTH = 12

_DOLLAR = re.compile(r"(?<!\\)\$")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|.", re.DOTALL)

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
SPACED = {
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "~",
    "propto": "∝", "ll": "≪", "gg": "≫", "in": "∈", "notin": "∉", "to": "→", "rightarrow": "→",
    "Rightarrow": "⇒", "pm": "±", "equiv": "≡",
}  # fmt: skip
FUNCTIONS = {"exp", "log", "ln", "max", "min", "sin", "cos", "arg", "det", "Pr"}
SPACES = {"quad": "  ", "qquad": "    ", ",": " ", ";": " ", ":": " ", " ": " ", "!": ""}
LITERALS = {"{": "{", "}": "}", "%": "%", "$": "$", "_": "_", "&": "&", "#": "#", "|": "‖"}
WRAPPERS = {"text", "mathrm", "mathbf", "mathit", "operatorname", "mathbb", "mathcal"}
SIZES = {"left", "right", "big", "Big", "bigl", "bigr"}
DOUBLE_STRUCK = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "E": "𝔼"}

_UP = dict(zip("0123456789+-=()nidkthmTw⊤,.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵈᵏᵗʰᵐᵀʷᵀ", strict=False))
_DOWN = dict(zip("0123456789+-=()aeijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: either mathematics with its dollars, or words."""

    text: str
    is_math: bool


def split_math(text: str) -> list[Piece]:
    """The pieces of a text, in order; joined they are the text. An odd last ``$`` is words."""
    marks = [match.start() for match in _DOLLAR.finditer(text)]
    pieces: list[Piece] = []
    here = 0
    for opening, closing in zip(marks[::2], marks[1::2], strict=False):
        pieces.append(Piece(text[here:opening], False))
        pieces.append(Piece(text[opening : closing + 1], True))
        here = closing + 1
    pieces.append(Piece(text[here:], False))
    return [piece for piece in pieces if piece.text]


def plain(text: str) -> str:
    """The text for a terminal: mathematics in Unicode, without dollars. Never raises."""
    return "".join(
        _Reader(piece.text[1:-1]).read() if piece.is_math else piece.text.replace(r"\$", "$")
        for piece in split_math(text)
    )


def problems(text: str) -> list[str]:
    """What is wrong with the mathematics of a text, as sentences; empty when all is well."""
    found: list[str] = []
    if len(_DOLLAR.findall(text)) % 2:
        found.append(r"has a $ without its partner; write \$ for a dollar sign")
    for piece in split_math(text):
        if piece.is_math:
            reader = _Reader(piece.text[1:-1])
            reader.read()
            found += [f"{problem} in {_clipped(piece.text)}" for problem in reader.problems]
    return found


def _clipped(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(frozen=True)
class _Part:
    """One operand, operator or word of a formula, already readable."""

    text: str
    is_word: bool = False
    is_fraction: bool = False
    scripts: str = ""


@dataclass
class _Reader:
    """One formula, read by recursive descent. Faults are noted and passed over."""

    source: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = TOKEN.findall(self.source)
        self.place = 0
        self.depth = 0

    def read(self) -> str:
        if not self.source.strip():
            self.problems.append("nothing stands between the dollars")
        text = self._sequence(inside=False)
        return re.sub(r" {2,}", " ", text).strip()

    def _peek(self) -> str | None:
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def _sequence(self, inside: bool) -> str:
        parts: list[_Part] = []
        while (token := self._peek()) is not None:
            if token == "}":
                if inside:
                    break
                self.problems.append("a } closes nothing")
                self.place += 1
            elif token in "^_":
                self.place += 1
                base = parts.pop() if parts else _Part("")
                if token in base.scripts:
                    self.problems.append(f"two {token} on one base; use braces")
                text = f"({base.text})" if base.is_fraction else base.text
                text += self._script(token)
                parts.append(_Part(text, is_word=base.is_word, scripts=base.scripts + token))
            else:
                parts.append(self._part())
        if inside and token is None:
            self.problems.append("a { is never closed")
        return _joined(parts)

    def _part(self) -> _Part:
        token = self._peek()
        assert token is not None
        self.place += 1
        if self.depth == MAX_DEPTH:
            self.problems.append("is nested too deeply")
            self.place = len(self.tokens)
            return _Part("")
        self.depth += 1
        if token == "{":
            part = _Part(self._sequence(inside=True))
            self.place += 1
        elif token.startswith("\\"):
            part = self._command(token[1:])
        else:
            part = _Part(token)
        self.depth -= 1
        return part

    def _argument(self, owner: str) -> str:
        token = self._peek()
        if token is None or token in "}^_":
            self.problems.append(f"{owner} has nothing to act on")
            return ""
        return self._part().text

    def _script(self, mark: str) -> str:
        text = self._argument(mark).replace(" ", "")
        letters = _UP if mark == "^" else _DOWN
        if text and all(c in letters for c in text):
            return "".join(letters[c] for c in text)
        return f"{mark}{text}" if len(text) <= 1 else f"{mark}({text})"

    def _command(self, name: str) -> _Part:
        if name == "frac":
            above, below = self._argument(r"\frac"), self._argument(r"\frac")
            return _Part(
                f"{_grouped(above, _PRODUCT)}/{_grouped(below, _FACTOR)}", is_fraction=True
            )
        if name == "sqrt":
            return _Part("√" + _grouped(self._argument(r"\sqrt"), _FACTOR))
        if name in WRAPPERS:
            return _Part(self._words(name), is_word=name in ("text", "operatorname", "mathrm"))
        if name in FUNCTIONS:
            return _Part(name, is_word=True)
        if name in SPACED:
            return _Part(f" {SPACED[name]} ")
        for table in (SYMBOLS, SPACES, LITERALS):
            if name in table:
                return _Part(table[name])
        if name not in SIZES:
            self.problems.append(f"the command \\{name} is not in the subset that we typeset")
        return _Part("" if name in SIZES else name)

    def _words(self, name: str) -> str:
        """The argument of ``\\text`` and its kin, in which spaces count."""
        if self._peek() != "{":
            self.problems.append(f"\\{name} needs braces")
            return ""
        self.place += 1
        out = ""
        while self.place < len(self.tokens) and self.tokens[self.place] != "}":
            token = self.tokens[self.place]
            out += self._literal(token) if token.startswith("\\") else token
            self.place += 1
        if self.place == len(self.tokens):
            self.problems.append("a { is never closed")
        self.place += 1
        return DOUBLE_STRUCK.get(out, out) if name == "mathbb" else out

    def _literal(self, token: str) -> str:
        name = token[1:]
        if name not in LITERALS and name not in SPACES:
            self.problems.append(f"the command {token} cannot stand among words")
        return LITERALS.get(name, SPACES.get(name, name))


def _joined(parts: list[_Part]) -> str:
    """Neighbours put together: signs and relations get air, words are kept apart."""
    out = ""
    before = _Part("")
    for part, after in zip(parts, [*parts[1:], _Part("")], strict=False):
        text = part.text
        if part.is_fraction and (_sticks(after.text[:1]) or _sticks(out[-1:])):
            text = f"({text})"
        if text in ("=", "<", ">", "+") or (text == "-" and _ends_operand(out)):
            out = f"{out.rstrip()} {text} "
        elif text == ",":
            out += ", "
        elif (part.is_word or before.is_word) and _sticks(out[-1:]) and _sticks(text[:1]):
            out += f" {text}"
        else:
            out += text
        before = part
    return out


def _sticks(character: str) -> bool:
    return character.isalnum() or character in tuple("√∑∞⊤")


def _ends_operand(text: str) -> bool:
    return bool(text) and text[-1] not in " (,-+[/"


_FACTOR = re.compile(r"\d+(\.\d+)?|√?\w[⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵀ₀-₉ₐ-ₜᵢⱼᵣᵤᵥ]*|∞")
_PRODUCT = re.compile(r"[\w√.·×∞⁰¹²³⁴⁵⁶⁷⁸⁹ⁿᵀ]+")


def _grouped(text: str, shape: re.Pattern[str]) -> str:
    """In brackets unless it has the shape of one operand."""
    text = text.strip()
    return text if shape.fullmatch(text) else f"({text})"
