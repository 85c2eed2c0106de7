"""Parameters: draws are deterministic and fair, texts are filled outside mathematics only."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.authoring.question_draws import every_draw, gap_problems
from quizprep.content.draws import (
    MAX_DRAWS,
    admissible,
    answer_value,
    draw,
    fill,
    same_growth,
    trap_values,
)
from quizprep.content.questions import Growth, Level, Number, Trap
from quizprep.errors import ContentError
from quizprep.text import number_text


def number(**changes: object) -> Number:
    fields: dict[str, object] = {
        "id": "demo",
        "level": Level.SENIOR,
        "concepts": ("scaling",),
        "ask": "{heads} heads, {groups} groups, {name}",
        "why": "because",
        "sources": ("vaswani2017",),
        "given": {"heads": (2, 4, 8), "groups": (2, 4), "name": ("A", "B")},
        "answer": "2 * groups",
        "traps": (Trap(gives="2 * heads", says="heads"),),
    }
    return Number(**(fields | changes))  # type: ignore[arg-type]


@given(st.integers())
def test_a_seed_gives_one_draw_and_no_trap_is_right_in_it(seed: int) -> None:
    """The same seed draws the same values, from those given, and every trap is wrong there."""
    question = number()
    values = draw(question, seed)
    assert values == draw(question, seed)
    assert all(values[name] in choices for name, choices in question.given.items())
    assert answer_value(question, values) not in trap_values(question, values)


def test_draws_reach_every_admissible_combination() -> None:
    """No admissible combination is out of reach of the seeds."""
    question = number()
    reached = {tuple(sorted(draw(question, seed).items())) for seed in range(300)}
    wanted = {tuple(sorted(v.items())) for v in every_draw(question) if admissible(question, v)}
    assert reached == wanted
    assert len(wanted) == 8  # 12 combinations without the four where heads = groups


def test_no_admissible_draw_is_an_error() -> None:
    """Where a trap is always right, drawing says so instead of asking an unfair question."""
    with pytest.raises(ContentError, match="in every draw a trap gives the answer"):
        draw(number(traps=(Trap(gives="groups + groups", says="same"),)), 1)


@pytest.mark.parametrize(("tolerance", "fair"), [("0%", True), ("1%", True), ("3%", False)])
def test_tolerance_may_not_reach_a_trap(tolerance: str, fair: bool) -> None:
    """A draw in which the bands of answer and trap touch is not asked."""
    question = number(tolerance=tolerance, traps=(Trap(gives="2.1 * groups", says="near"),))
    assert admissible(question, {"heads": 2, "groups": 4, "name": "A"}) is fair


def test_traps_may_not_coincide() -> None:
    """A draw in which two mistakes give the same number is not asked: the name would be a guess."""
    traps = (Trap(gives="3 * heads", says="x"), Trap(gives="6 * groups", says="y"))
    question = number(traps=traps)
    assert not admissible(question, {"heads": 4, "groups": 2, "name": "A"})
    assert admissible(question, {"heads": 2, "groups": 4, "name": "A"})


def test_many_combinations_are_sampled() -> None:
    """A product too large to list is sampled, always alike and without repeats."""
    question = number(given={name: tuple(range(1, 30)) for name in ("heads", "groups", "x", "y")})
    draws = [tuple(values.values()) for values in every_draw(question)]
    assert len(draws) == MAX_DRAWS == len(set(draws))
    assert draws == [tuple(values.values()) for values in every_draw(question)]


def test_growth_traps_are_compared_as_growths() -> None:
    """A trap that differs in constants and lower terms only is the answer."""
    question = Growth(
        id="g",
        level=Level.SENIOR,
        concepts=("x",),
        ask="?",
        why=".",
        sources=("s",),
        answer="n*w",
        symbols={"n": "tokens", "w": "window"},
        where=("w <= n",),
    )
    assert same_growth(question, "3*n*w + w*w")
    assert not same_growth(question, "n*n")


def test_fill_replaces_outside_mathematics_only() -> None:
    """Names become numbers, doubled braces single ones, and ``$...$`` is left alone."""
    question = number(show={"total": "heads * groups * 1000"})
    values = {"heads": 8, "groups": 4, "name": "B"}
    text = r"{heads} of {name}: {total}, {{x}}, $x^{heads} \cdot {{y}}$, \$5 {groups}"
    assert fill(text, question, values) == (r"8 of B: 32,000, {x}, $x^{heads} \cdot {{y}}$, \$5 4")


@given(st.text(alphabet="ab{}$\\ {n}", max_size=30))
def test_fill_refuses_exactly_what_the_check_names(text: str) -> None:
    """``fill`` fails for a text if and only if ``gap_problems`` finds something in it."""
    question = number()
    values = draw(question, 0)
    if gap_problems(text, question):
        with pytest.raises(ContentError):
            fill(text, question, values)
    else:
        fill(text, question, values)


@given(st.integers() | st.fractions() | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_to_four_digits(value: int | Fraction | float) -> None:
    """A written number reads back as itself where it is whole, else within half of a digit."""
    text = number_text(value)  # type: ignore[arg-type]
    read = Fraction(text.replace(",", ""))
    exact = Fraction(value)
    assert read == exact if exact.denominator == 1 else abs(read - exact) <= abs(exact) / 199
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0") or "e" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (4096, "4096"),
        (10_000, "10,000"),
        (524_288, "524,288"),
        (Fraction(1, 8), "0.125"),
        (Fraction(100, 3), "33.33"),
        (12345.678, "12,345.7"),
        (999.99, "1000"),
        (-0.5, "-0.5"),
        (8886110.52, "8,886,000"),
        (3.5e-7, "3.5e-07"),
    ],
)
def test_numbers_as_people_write_them(value: Fraction, text: str) -> None:
    """Thousands separators from 10,000 on, no trailing zeros."""
    assert number_text(value) == text
