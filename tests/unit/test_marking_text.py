"""Cloze and code: what people would call the same text is the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.quiz.marking import Invalid, Mark, mark
from tests.unit.questions import question


def cloze(*accept: str, **fields: object) -> object:
    return question("cloze", accept=list(accept), **fields)


@pytest.mark.parametrize(
    ("accepted", "reply"),
    [
        ("log-sum-exp", "Log Sum Exp"),
        ("$\\sqrt{d}$", "sqrt(d)"),
        ("sqrt(d)", "√d"),
        ("$\\sqrt{d}$", "square root of d"),
        ("65504", "65,504"),
        ("65504", "6.5504e4"),
        ("a query", "the queries"),
        ("n^2", "n²"),
        ("n^2", "n**2"),
        ("minus infinity", " Minus  infinity. "),
        ("block-diagonal", "block diagonal"),
        ("n * d", "n*d"),
        ("diag(p) - p p^T", "diag(p)-p p^T"),
        ("padding", "paddings"),
        ("weighted mean", "weighted means"),
        ("normalised", "normalized"),
    ],
)
def test_spellings_that_are_the_same(accepted: str, reply: str) -> None:
    """Case, hyphens, articles, endings, British spelling, spaces and signs do not matter."""
    assert mark(cloze(accepted), {}, reply) == Mark(1.0)


@pytest.mark.parametrize(
    ("accepted", "reply"),
    [
        ("symmetric", "asymmetric"),
        ("row", "column"),
        ("sqrt(d)", "d"),
        ("n^2", "n^3"),
        ("1", "11"),
        ("minus infinity", "infinity"),
        ("-1", "1"),
        ("keys", "queries"),
    ],
)
def test_texts_that_differ(accepted: str, reply: str) -> None:
    """One letter, sign or power can be the whole difference."""
    result = mark(cloze(accepted), {}, reply)
    assert isinstance(result, Mark)
    assert result.score == 0


def test_a_filling_may_hold_a_drawn_value_and_a_trap_is_named() -> None:
    """Placeholders are filled in the answer, in the traps and in what they say."""
    each = cloze("{d}", given={"d": [64]}, traps=[{"gives": "root", "says": "That is no {d}."}])
    assert mark(each, {"d": 64}, "64") == Mark(1.0)
    assert mark(each, {"d": 64}, "Root") == Mark(0.0, (), "That is no 64.")


CODE = question(
    "code",
    snippet="print(1)",
    prints="torch.Size([2, 3])\n[True, False]\n",
    traps=[{"gives": "torch.Size([3, 2]) [True, False]", "says": "Rows come first."}],
)


@pytest.mark.parametrize(
    "reply",
    [
        "torch.Size([2, 3])\n[True, False]",
        "torch.Size([2,3]) [True,False]",
        "torch.size([2, 3])   [true, false]",
        "torch.Size([2, 3])\\n[True, False]",
    ],
)
def test_white_space_lines_and_case_of_an_output_do_not_matter(reply: str) -> None:
    """Several lines may be typed as one."""
    assert mark(CODE, {}, reply) == Mark(1.0)


def test_outputs_that_differ_are_wrong_and_traps_are_named() -> None:
    """Neighbouring numbers do not run together."""
    assert mark(CODE, {}, "torch.Size([3, 2]) [True,False]") == Mark(0.0, (), "Rows come first.")
    numbers = question("code", snippet="print(1, 2)", prints="1 2")
    result = mark(numbers, {}, "12")
    assert isinstance(result, Mark)
    assert result.score == 0


@given(st.text(max_size=60))
def test_no_text_raises_and_only_emptiness_is_invalid(reply: str) -> None:
    """Whatever is typed gives a mark or an Invalid."""
    assert isinstance(mark(CODE, {}, reply), Mark | Invalid)
    assert isinstance(mark(cloze("x"), {}, reply), Mark | Invalid)
