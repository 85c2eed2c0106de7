"""Growth: spellings are equal, each way of being off has its sentence, and nothing stalls."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.quiz.marking import Invalid, Mark, mark, model_answer
from tests.unit.questions import question

WINDOW = question(
    "growth",
    answer="n * w * d",
    symbols={"n": "tokens", "w": "window", "d": "head size"},
    where=["w <= n"],
    traps=[{"gives": "n * w", "says": "Each score is a product of d terms."}],
)
SQUARE = question("growth", answer="n**2 * d", symbols={"n": "tokens", "d": "head size"})
NAMED = question(
    "growth", answer="batch * kv_heads * n", symbols={"batch": "b", "kv_heads": "g", "n": "n"}
)


@pytest.mark.parametrize(
    "reply",
    [
        "n^2 d",
        "n²d",
        "O(n*n*d)",
        "d n**2",
        "nnd",
        "O(d·n²)",
        "Θ(n^2*d)",
        "N^2 D",
        "theta(n n d)",
        "(n)(n)(d)",
        "n^2 × d",
        "n^3 d / n",
        "O(n^2)d",
        "big-O(n² d)",
        "n^2 d.",
        "sqrt(n)^4 d",
    ],
)
def test_spellings_of_one_growth(reply: str) -> None:
    """Implicit products, powers, capital letters and big-O brackets are read."""
    assert mark(SQUARE, {}, reply) == Mark(1.0)


@given(
    st.permutations(["n", "w", "d"]),
    st.lists(st.sampled_from(["*", " ", " * ", "", "·", ")("]), min_size=2, max_size=2),
)
def test_factors_may_be_permuted_and_joined_in_any_way(names: list[str], joins: list[str]) -> None:
    """Multiplication commutes, whatever sign or none stands for it."""
    reply = f"({names[0]}{joins[0]}{names[1]}{joins[1]}{names[2]})"
    assert mark(WINDOW, {}, reply) == Mark(1.0)


@pytest.mark.parametrize("reply", ["batch kv_heads n", "n*kv_heads*batch", "O(Batch n kv_heads)"])
def test_symbols_of_several_letters(reply: str) -> None:
    """A name is read whole before it is cut into letters."""
    assert mark(NAMED, {}, reply) == Mark(1.0)


@pytest.mark.parametrize(
    ("reply", "score", "says"),
    [
        ("2 n w d", 0.75, "constant is left in"),
        ("n w d / 2", 0.75, "constant is left in"),
        ("n w d + n", 0.75, "lower-order terms are left in: drop n."),
        ("n w d + w w d", 0.75, "lower-order terms are left in: drop w^2*d."),
        ("n n d", 0.25, "Too loose"),
        ("n w d log n", 0.25, "Too loose"),
        ("n w d + d^2", 0.25, "Too loose"),
        ("w d", 0, "Too small"),
        ("n^2", 0, "Not that"),
        ("n log n", 0, "Not that"),
    ],
)
def test_each_way_of_being_off_has_its_own_sentence(reply: str, score: float, says: str) -> None:
    """Untidy, too loose, too small and incomparable are told apart."""
    result = mark(WINDOW, {}, reply)
    assert isinstance(result, Mark)
    assert result.score == score
    assert says in result.says[0]


def test_both_a_constant_and_lower_terms_are_named() -> None:
    """Two untidinesses cost more than one, and each is said."""
    result = mark(WINDOW, {}, "3 n w d + n d")
    assert isinstance(result, Mark)
    assert 0.25 < result.score < 0.75
    assert len(result.says) == 2


def test_a_trap_is_named_in_any_spelling() -> None:
    """The trap's growth with a constant and a lower term is still the trap."""
    assert mark(WINDOW, {}, "2wn + n") == Mark(0.0, (), "Each score is a product of d terms.")


@given(
    st.fractions(Fraction(1, 9), 9).filter(lambda c: c != 1),
    st.sampled_from(["n", "w", "d", "n w", "w w", "n d", "w d", "7"]),
)
def test_constants_and_lower_terms_never_change_the_growth(c: Fraction, lower: str) -> None:
    """With both left in, an answer is untidy, and never called wrong or loose."""
    result = mark(WINDOW, {}, f"{c.numerator} n w d / {c.denominator} + {lower}")
    assert isinstance(result, Mark)
    assert result.score == 0.75**2


@pytest.mark.parametrize(
    "reply",
    [
        "x",
        "n^",
        "n w d )",
        "((((n",
        "n-n",
        "(n+w+d)**9",
        "n^n",
        "n^99999",
        "sin(n)",
        "log(n+w)",
        "",
        "n**-",
        "n/(w+d)",
        "__import__('os')",
        "(" * 300,
        "n" * 3000,
        "n w d; 1",
        "n^(1/0)",
        "1/0",
        "O()",
    ],
)
def test_what_cannot_be_read_costs_nothing(reply: str) -> None:
    """Invalid is not wrong, and it names the symbols."""
    assert isinstance(mark(WINDOW, {}, reply), Invalid)


@given(st.text(max_size=80) | st.text("nwd0123456789+-*/^() Olgsqrt²", max_size=80))
def test_no_text_raises(reply: str) -> None:
    """Whatever is typed gives a mark or an Invalid, at once."""
    assert isinstance(mark(WINDOW, {}, reply), Mark | Invalid)


def test_the_longest_sum_over_six_symbols_is_answered() -> None:
    """The most that a reply may hold, over symbols with relations, comes back with a mark."""
    many = question(
        "growth",
        answer="b*h*n*w*d + b*h*n*d",
        symbols={name: name for name in "bhnmwd"},
        where=["w <= n", "n <= m"],
    )
    terms = ["b h^3 m^3 w^3", "m^3 w^3", "d h w^3", "d n^3 w", "d^3 h^2", "b^3", "m", "n log m",
             "h sqrt(d)", "b log^2 n", "w sqrt(b)", "1"]  # fmt: skip
    assert isinstance(mark(many, {}, " + ".join(terms)), Mark)


@pytest.mark.parametrize("each", [WINDOW, SQUARE, NAMED])
def test_the_model_answer_is_right(each: object) -> None:
    """What is shown as the answer would be marked right."""
    assert mark(each, {}, model_answer(each, {})) == Mark(1.0)
