"""Cloze and code: replies are compared as text, after spelling is made uniform.

What fills a gap is also compared as a formula is (``-(b - a)`` is ``a - b``), and may repeat the
words around the gap. An output is compared number by number; brackets and commas count only where
they are the point of the question.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache

from quizprep.content.draws import fill
from quizprep.content.questions import Cloze, Code, Scalar
from quizprep.formula import MAX_TEXT, Formula, FormulaError, parse
from quizprep.maths import plain
from quizprep.quiz.marking.quantity import exact_number
from quizprep.quiz.marking.reply import Invalid, Mark
from quizprep.quiz.marking.words import one_slip, stem
from quizprep.text import plain_signs

_ARTICLES = {"a", "an", "the"}
_MODULES = re.compile(r"\b(?:torch|np|numpy|math|jnp|jax|tl)\.(?=[a-z])")
_ONE_NAME = (
    (r"\bnatural log(?:arithm)?\b|\blogarithm\b|\bln\b", "log"),
    (r"\bmaxim(?:um|a)\b", "max"),
    (r"\bminim(?:um|a)\b", "min"),
    (r"\binfinity\b|∞", "inf"),
    (r"\bminus\b", "-"),
    (r"\bplus\b", "+"),
    (r"√\s*\(", "sqrt("),
    (r"√\s*(\w+)", r"sqrt(\1)"),
    (r"\bsquare root of (?:the )?(\w+)", r"sqrt(\1)"),
    (r"\bsqrt (\w+)", r"sqrt(\1)"),
    (r"\blog of (?:the )?(\w+)", r"log(\1)"),
    (r"\blog (\w)\b", r"log(\1)"),
    (r"_?\{(\w+)\}", r"_\1"),
    (r"(\w)[- ]?wise\b", r"\1"),
    (r"\s*&\s*", " and "),
)
"""Names and signs that mean the same, in the order in which they are replaced."""
_STUCK = re.compile(r"(?<![a-z_])\d(?!\d*\.?\d*e[+-]?\d)[\d.]*[a-z_]")
"""A number that runs into a word, which Python would warn of on the terminal."""
_AROUND = 6
"""How many words and signs before and after a gap a reply may repeat."""
_POINTS = 3
_INNER = re.compile(r"(?<=\w)\s+(?=[\w-])")
_WRAPPER = re.compile(r"\b[a-z_][\w.]*(?=\s*\()")
"""What stands before a bracket, as in ``torch.Size([2, 3])``."""
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_PRINTED_NUMBER = re.compile(r"[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:e[+-]?\d{1,2})?")
_PRINTED = re.compile(rf"{_PRINTED_NUMBER.pattern}|[+-]?[^\W\d]\w*|[^\w\s\"'`,;()\[\]{{}}]")


def mark_cloze(question: Cloze, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """1 for any accepted filling; spelling, equal formulas and one typing slip do not matter."""
    replies = [*_without_surroundings(question, values, " ".join(reply.split()))]
    if not same_text(reply):
        return Invalid("Type what fills the gap ___.")
    accepted = [plain(fill(text, question, values)) for text in question.accept]
    if any(_alike(said, text) for said in replies for text in accepted):
        return Mark(1.0)
    for trap in question.traps:
        gives = plain(fill(trap.gives, question, values))
        if any(_alike(said, gives) for said in replies):
            return Mark(0.0, (), fill(trap.says, question, values).strip())
    if any(_slipped(said, text) for said in replies for text in accepted):
        return Mark(1.0)
    return Mark(0.0, ("That does not fill the gap.",))


def cloze_answer(question: Cloze, values: Mapping[str, Scalar]) -> str:
    """The first accepted filling."""
    return fill(question.accept[0], question, values).strip()


def _without_surroundings(
    question: Cloze, values: Mapping[str, Scalar], reply: str
) -> Iterator[str]:
    """The reply, and the reply without the words around the gap that it repeats."""
    yield reply
    before, _, after = re.sub("_{3,}", "\0", plain(fill(question.ask, question, values))).partition(
        "\0"
    )
    left, right = _pieces(before)[-_AROUND:], _pieces(after)[:_AROUND]
    heads = (_spaced(left[start:]) for start in range(len(left)))
    tails = (_spaced(right[:end]) for end in range(len(right), 0, -1))
    head = next((m for h in heads if (m := re.match(rf"\s*{h}", reply, re.IGNORECASE))), None)
    tail = next((m for t in tails if (m := re.search(rf"{t}\s*$", reply, re.IGNORECASE))), None)
    start, end = head.end() if head else 0, tail.start() if tail else len(reply)
    if reply[start:end].strip():
        yield reply[start:end]


def _pieces(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text)


def _spaced(pieces: list[str]) -> str:
    """A pattern for these words and signs, however they are spaced; words are matched whole."""
    return r"\s*".join(
        rf"\b{re.escape(piece)}\b" if piece.isalnum() else re.escape(piece) for piece in pieces
    )


def _alike(said: str, wanted: str) -> bool:
    one, other = same_text(said), same_text(wanted)
    if one == other or (len(other) > 5 and one.replace(" ", "") == other.replace(" ", "")):
        return True
    left, right = exact_number(one), exact_number(other)
    if left is not None and right is not None:
        return left == right
    return _same_value(_formula_text(said), _formula_text(wanted))


def _slipped(said: str, wanted: str) -> bool:
    """Whether a reply is the wanted text with one long word mistyped."""
    typed, meant = _words(said), _words(wanted)
    if len(typed) != len(meant):
        return False
    odd = [(a, b) for a, b in zip(typed, meant, strict=True) if stem(a) != stem(b)]
    return len(odd) == 1 and all(map(str.isalpha, odd[0])) and one_slip(*odd[0])


def _same_value(one: str, other: str) -> bool:
    """Whether two texts are formulas in the same names with equal values, at a few points."""
    left, right = _formula(one), _formula(other)
    if left is None or right is None or left.symbols != right.symbols:
        return False
    dice = random.Random(other)
    for _ in range(_POINTS):
        point = {name: dice.uniform(0.5, 3.0) for name in sorted(left.symbols)}
        try:
            a, b = float(left.evaluate(point)), float(right.evaluate(point))
        except (FormulaError, OverflowError):
            return False
        if abs(a - b) > 1e-9 * max(abs(a), abs(b)):
            return False
    return True


@lru_cache(maxsize=1024)
def _formula(text: str) -> Formula | None:
    if len(text) > MAX_TEXT or not re.search(r"[-+*/^(]", text):
        return None
    written = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(?=[a-df-z(])", r"\1*", text)
    if _STUCK.search(written):
        return None
    try:
        return parse(re.sub(r"\blog\(", "ln(", written))
    except FormulaError:
        return None


def _formula_text(text: str) -> str:
    """A text in which names that mean the same are one; signs and underscores stay."""
    text = _MODULES.sub("", " ".join(plain_signs(text, "^").casefold().split()))
    for pattern, name in _ONE_NAME:
        text = re.sub(pattern, name, text)
    return text.strip(" .=")


@lru_cache(maxsize=4096)
def same_text(text: str) -> str:
    """A text in uniform spelling: ``√d`` and ``sqrt(d)`` come out the same."""
    return " ".join(map(stem, _words(text)))


def _words(text: str) -> list[str]:
    text = _formula_text(text)
    text = re.sub(r"(?<=[a-z])[-_/](?=[a-z])", " ", text)
    text = re.sub(r"[\"'`“”‘’!?;]|[.,](?!\d)", " ", text)
    text = re.sub(r"\s*([*/^+=()<>-])\s*", r"\1", text)
    return [word for word in text.split() if word not in _ARTICLES]


def mark_code(question: Code, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """1 for what is printed, else 0; several lines may be typed as one."""
    if not same_output(reply):
        return Invalid("Type what the snippet prints.")
    wrong = [trap.gives for trap in question.traps]
    # Where a trap differs in brackets alone, they are what the question is about.
    strict = any(_outputs(text) & _outputs(question.prints) for text in wrong)
    if _same_printed(reply, question.prints, strict):
        return Mark(1.0)
    for trap in question.traps:
        if _same_printed(reply, trap.gives, strict):
            return Mark(0.0, (), fill(trap.says, question, values).strip())
    return Mark(0.0, ("That is not what it prints.",))


def _same_printed(said: str, printed: str, strict: bool) -> bool:
    if same_output(said) == same_output(printed):
        return True
    return not strict and bool(_outputs(said) & _outputs(printed))


def same_output(text: str) -> str:
    """An output in uniform spelling: ``[1, 2]`` and ``[1,2]`` come out the same."""
    unquoted = re.sub(r"[\"'`]", "", text.replace("\\n", "\n")).strip().casefold()
    return re.sub(r"[^\S\x1f]+", "", _INNER.sub("\x1f", unquoted))


def _outputs(text: str) -> set[tuple[str | Fraction, ...]]:
    """The numbers and words of an output; two readings where ``16,384`` may be one number."""
    unquoted = text.replace("\\n", "\n").casefold()
    bare = _WRAPPER.sub(" ", unquoted)
    return {_values(bare), _values(_THOUSANDS.sub(lambda m: m[0].replace(",", ""), bare))}


def _values(text: str) -> tuple[str | Fraction, ...]:
    words = _PRINTED.findall(text)
    return tuple(Fraction(w) if _PRINTED_NUMBER.fullmatch(w) else w for w in words)
