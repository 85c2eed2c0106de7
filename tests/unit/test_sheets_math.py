"""Formulas: what the content allows is read and set, in every format."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep import maths
from quizprep.authoring.question_checks import shown_texts
from quizprep.content.library import Library, shipped_root
from quizprep.content.questions import Growth, Number
from quizprep.formula import parse
from quizprep.formula.latex import growth_latex, latex
from quizprep.sheets.mathml import breakable, mathml

LIBRARY = Library(shipped_root())
COMMANDS = [
    *maths.SYMBOLS, *maths.RELATIONS, *maths.FUNCTIONS, *maths.SPACES, *maths.LITERALS,
]  # fmt: skip


def all_formulas() -> Iterator[str]:
    """Every formula that stands in a text of a shipped bank."""
    for bank in LIBRARY.banks.values():
        texts = [bank.template]
        texts += [text for question in bank.questions for _, text in shown_texts(question)]
        for text in texts:
            yield from (p.text[1:-1] for p in maths.split_math(text) if p.is_math)


def all_expressions() -> Iterator[str]:
    """Every formula of a shipped answer, trap or contract, in the language of formula.py."""
    for bank in LIBRARY.banks.values():
        for question in bank.questions:
            if isinstance(question, Number | Growth):
                yield question.answer
                yield from (trap.gives for trap in question.traps)
    for exercise in LIBRARY.exercises:
        for limit in exercise.spec.contract.limits().values():
            yield limit.exact or limit.growth or "1"


def text_of(latex: str) -> str:
    return "".join(ElementTree.fromstring(mathml(latex)).itertext())


atoms = st.sampled_from([
    "x", "d", "12", "0.5", "+", "-", "=", ",", "(", ")", "/", "<", ">", "[", "]", "|", "!", "'",
    *(rf"\{name} " for name in COMMANDS if name != " "),
])  # fmt: skip
formulas = st.recursive(
    st.lists(atoms, min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: rf"\frac{{{p[0]}}}{{{p[1]}}}"),
        inner.map(lambda f: rf"\sqrt{{{f}}}"),
        st.tuples(inner, inner).map(lambda p: f"{{{p[0]}}}_{{{p[1]}}}^{{{p[0]}}}"),
        inner.map(lambda f: rf"\left( {f} \right]"),
        st.sampled_from(sorted(maths.WRAPPERS)).map(lambda w: rf"\{w}{{a \& b}}"),
        st.tuples(inner, inner).map(" ".join),
    ),
    max_leaves=8,
)


@given(formulas)
def test_what_passes_the_lint_is_valid_mathml(latex: str) -> None:
    """Every formula of the subset gives well-formed MathML in which no command is left."""
    if not maths.problems(f"${latex}$"):
        root = ElementTree.fromstring(mathml(latex))
        assert "\\" not in "".join(root.itertext())


@given(st.text(max_size=40))
def test_any_text_gives_well_formed_mathml(text: str) -> None:
    """Whatever stands between dollars, reading neither fails nor breaks the page."""
    if all(c.isprintable() or c == " " for c in text):
        ElementTree.fromstring(mathml(text))


@pytest.mark.parametrize("command", sorted(c for c in COMMANDS if c not in maths.SPACES))
def test_each_command_shows_its_sign(command: str) -> None:
    """A command gives the sign that the terminal shows for it."""
    sign = maths.plain(rf"$\{command} $").strip()
    assert sign.replace("~", "") in text_of(rf"\{command} ").replace("~", "")


def test_structure_is_kept() -> None:
    """Fractions, roots and scripts hold what they held."""
    root = ElementTree.fromstring(mathml(r"\frac{p_i^2}{\sqrt{h d}}"))
    tags = [element.tag.partition("}")[2] for element in root.iter()]
    assert tags[:3] == ["math", "mfrac", "msubsup"] and "msqrt" in tags


@given(formulas)
def test_a_formula_that_may_break_loses_nothing(latex: str) -> None:
    """The pieces of a formula in a line hold, in order, what the whole one holds."""
    pieces = re.split("(?<=</math>) ", breakable(latex))
    whole = "".join("".join(ElementTree.fromstring(piece).itertext()) for piece in pieces)
    assert whole == text_of(latex)


def test_a_long_product_may_break() -> None:
    """A product that is wider than a phone breaks after its operators, a bracket holds together."""
    long = r"2 \times \text{layers} \times \text{KV heads} \times (d + \text{width} + \text{scale})"
    pieces = re.split("(?<=</math>) ", breakable(long))
    assert len(pieces) == 4 and "scale" in pieces[-1] and "(" in pieces[-1]
    assert breakable(r"\sqrt{d} + 1").count("<math") == 1


def test_the_banks_are_set() -> None:
    """Every formula in every shipped bank is within the subset and gives well-formed MathML."""
    found = list(all_formulas())
    assert len(found) > 20
    for formula in found:
        assert not maths.problems(f"${formula}$")
        ElementTree.fromstring(mathml(formula))


def test_answers_and_contracts_become_latex_of_the_subset() -> None:
    """Every formula that is computed can also be set, with names and with numbers."""
    for text in all_expressions():
        formula = parse(text)
        numbers = {name: Fraction(12345, 100) for name in formula.symbols}
        for written in (latex(formula), growth_latex(formula), latex(formula, numbers)):
            assert not maths.problems(f"${written}$"), written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2*layers*d", r"2 \cdot \text{layers} \cdot d"),
        ("(a + b)*c", r"(a + b) \cdot c"),
        ("a - (b - c)", "a - (b - c)"),
        ("-a * b", r"(-a) \cdot b"),
        ("(a*b)**2", r"(a \cdot b)^{2}"),
        ("(a/b)**2", r"\left( \frac{a}{b} \right)^{2}"),
        ("a**(1/2)", "a^{1/2}"),
        ("floor(kv_heads / 2)", r"\left\lfloor \frac{\text{KV heads}}{2} \right\rfloor"),
        ("sqrt(d)**3", r"\sqrt{d}^{3}"),
        ("10**12", "10^{12}"),
        ("1000000*a", r"\text{1,000,000} \cdot a"),
    ],
)
def test_brackets_stand_where_they_must(text: str, expected: str) -> None:
    """The LaTeX of a formula groups as the formula does."""
    assert latex(parse(text)) == expected


def test_a_number_that_is_negative_or_tiny_is_grouped() -> None:
    """Substituted numbers keep their meaning beside operators."""
    values = {"a": Fraction(-3), "b": Fraction(1, 10**7)}
    assert latex(parse("2*a"), values) == r"2 \cdot (-3)"
    assert latex(parse("2*b"), values) == r"2 \cdot 1 \times 10^{-7}"
    assert latex(parse("b**2"), values) == r"(1 \times 10^{-7})^{2}"
