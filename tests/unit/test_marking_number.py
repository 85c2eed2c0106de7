"""Numbers: any spelling of the right quantity is right, slips are named, garbage costs nothing."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quizprep import units
from quizprep.content.questions import Number
from quizprep.quiz.marking import Invalid, Mark, mark, model_answer


def number(answer: str, unit: str = "", tolerance: str = "1%", **fields: object) -> Number:
    """A question with the given answer in base units."""
    raw = {
        "id": "q", "kind": "number", "level": "junior", "concepts": ["c"],
        "ask": "How many bytes per token?", "why": "w", "sources": ["s"],
        "answer": answer, "unit": unit, "tolerance": tolerance, **fields,
    }  # fmt: skip
    return msgspec.convert(raw, Number | None)  # type: ignore[return-value]


TWO_GIB = number("2**31", "GiB", traps=[{"gives": "2**30", "says": "You counted K but not V."}])
DATA_UNITS = {
    "bytes": 1, "B": 1, "byte": 1, "kB": 10**3, "KB": 10**3, "KiB": 2**10, "kib": 2**10,
    "MB": 10**6, "MiB": 2**20, "mebibytes": 2**20, "megabytes": 10**6, "GB": 10**9,
    "gb": 10**9, "GiB": 2**30, "gib": 2**30, "TiB": 2**40, "gibibyte": 2**30,
    "bits": Fraction(1, 8), "Gbit": Fraction(10**9, 8), "Mib": Fraction(2**20, 8),
}  # fmt: skip


@given(
    st.integers(1, 10**15),
    st.sampled_from(sorted(DATA_UNITS)),
    st.sampled_from(
        ["{n} {u}", "{n}{u}", "  {n}  {u} ", "≈ {n} {u}", "about {n} {u}.", "= {n} {u}"]
    ),
)
def test_the_right_amount_in_any_unit_is_right(size: int, unit: str, form: str) -> None:
    """Whatever unit of data a learner writes, the right amount gets the full mark."""
    amount = Fraction(size) / DATA_UNITS[unit]
    reply = form.format(n=f"({amount.numerator}/{amount.denominator})", u=unit)
    assert mark(number(str(size), "KiB", "0%"), {}, reply) == Mark(1.0)


@given(st.integers(10**4, 10**15), st.sampled_from([",", " ", "_", "'"]))
def test_thousands_may_be_separated(size: int, separator: str) -> None:
    """2,048 and 2 048 and 2_048 are one number."""
    reply = f"{size:,}".replace(",", separator)
    assert mark(number(str(size), "", "0%"), {}, reply) == Mark(1.0)


@pytest.mark.parametrize(
    "reply",
    [
        "2",
        "2 GiB",
        "2GiB",
        "2147483648 bytes",
        "2,048 MiB",
        "2*2^30 B",
        "2·2³⁰ bytes",
        "2 x 1024 MiB",
        "2.147e9 bytes",
        "17.18 Gbit",
        "2 GiB per token",
        "0.001953125 TiB",
        "sqrt(4) GiB",
        "8/4",
        "−-2",
    ],
)
def test_spellings_of_two_gibibytes(reply: str) -> None:
    """Expressions, powers, exponents and units in the forms that people type."""
    assert mark(TWO_GIB, {}, reply) == Mark(1.0)


def test_a_bare_expression_may_lead_to_the_unit_that_was_asked_or_to_the_base_unit() -> None:
    """2*32*8*128*2 is right where bytes or KiB are asked; the bare number 131072 only for bytes."""
    question = number("2*32*8*128*2", "bytes", "0%")
    assert mark(question, {}, "2*32*8*128*2") == Mark(1.0)
    asked_in_kib = number("2*32*8*128*2", "KiB", "0%")
    assert mark(asked_in_kib, {}, "128") == Mark(1.0)
    assert mark(asked_in_kib, {}, "2*32*8*128*2") == Mark(1.0)
    slip = mark(asked_in_kib, {}, "131072")
    assert isinstance(slip, Mark)
    assert slip.score == 0.5
    assert "right in bytes" in slip.says[0]


def test_decimal_and_binary_prefixes_are_told_apart() -> None:
    """GB for GiB is half right, and the sentence says what each is."""
    result = mark(TWO_GIB, {}, "2 GB")
    assert isinstance(result, Mark)
    assert result.score == 0.5
    assert "GB is 10^9 bytes" in result.says[0]
    assert "GiB is 2^30 bytes" in result.says[0]


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("4", "factor of 2"),
        ("16 GiB", "factor of 8"),
        ("2 TiB", "factor of 1024"),
        ("2048 GiB", "factor of 1024"),
        ("37", "factor of about 18.5"),
        ("2.03", "a little too large"),
        ("-2", "not the number"),
    ],
)
def test_the_factor_is_named_where_it_is_one_that_people_miss(reply: str, named: str) -> None:
    """Wrong answers say how far off they are, and of what that is the sign."""
    result = mark(TWO_GIB, {}, reply)
    assert isinstance(result, Mark)
    assert result.score == 0
    assert named in " ".join(result.says)


def test_a_thousand_and_1024_are_not_confused_where_the_tolerance_hides_the_difference() -> None:
    """With 5% allowed, a factor of 1000 and one of 1024 look alike, so neither is named."""
    result = mark(number("1", "", "5%"), {}, "1010")
    assert isinstance(result, Mark)
    assert "about 1010" in result.says[0]


def test_a_trap_is_named_before_any_factor() -> None:
    """Half of the right answer is the trap that gives it, not "a factor of 2"."""
    assert mark(TWO_GIB, {}, "1 GiB") == Mark(0.0, (), "You counted K but not V.")


def test_two_right_digits_where_one_percent_was_asked_are_nearly_right() -> None:
    """2.1e9 bytes for 2 GiB is rounded, not wrong."""
    result = mark(TWO_GIB, {}, "2.1e9 bytes")
    assert isinstance(result, Mark)
    assert 0.5 < result.score < 1


@pytest.mark.parametrize(
    "reply",
    [
        "garbage",
        "",
        "2,5",
        "2; import os",
        "__import__('os')",
        "(((",
        "9**9**9",
        "1e999",
        "3 seconds",
        "2 heads",
        "1/0",
        "2 GiB GiB 3",
        "open('x')",
        "[1,2]",
        "lambda: 1",
        "a" * 5000,
        "1+",
        "²",
    ],
)
def test_what_cannot_be_read_costs_nothing_and_says_what_is_expected(reply: str) -> None:
    """Invalid is not wrong."""
    result = mark(TWO_GIB, {}, reply)
    assert isinstance(result, Invalid)
    assert result.expected


@given(st.text(max_size=60) | st.text("0123456789.,e+-*/^() GiBxk%√²", max_size=60))
def test_no_text_raises(reply: str) -> None:
    """Whatever is typed gives a mark or an Invalid, never an exception."""
    assert isinstance(mark(TWO_GIB, {}, reply), Mark | Invalid)


@given(st.integers(1, 10**9), st.fractions(Fraction(-1, 2), Fraction(1, 2)))
def test_the_tolerance_is_the_line_between_right_and_wrong(size: int, off: Fraction) -> None:
    """Right exactly when the relative error is at most the tolerance."""
    value = size * (1 + off)
    result = mark(number(str(size), "pages", "2%"), {}, f"{value.numerator}/{value.denominator}")
    assert isinstance(result, Mark)
    assert result.right == (abs(off) <= Fraction(2, 100))


@given(st.sampled_from(sorted(DATA_UNITS)))
def test_every_spelling_of_a_unit_has_its_factor(name: str) -> None:
    """The table of units says what the names mean."""
    unit = units.find(name)
    assert unit is not None
    assert unit.dimension == "data"
    assert unit.factor == DATA_UNITS[name]


@pytest.mark.parametrize(
    ("name", "base"), [("GiB", "bytes"), ("TB/s", "bytes/s"), ("Tflop/s", "flops/s"), ("ms", "s")]
)
def test_a_unit_has_a_base_of_its_dimension(name: str, base: str) -> None:
    """One base unit is one: its name is read as a unit of the same dimension with factor 1."""
    found = units.base(units.named(name))
    assert found.name == base
    read = units.named(base)
    assert (read.dimension, read.factor) == (units.named(name).dimension, 1)


@pytest.mark.parametrize(
    ("unit", "reply"),
    [
        ("TFLOP/s", "312 TFLOPS"),
        ("TFLOP/s", "0.312 PFLOP/s"),
        ("TFLOP/s", "312e12 flop/s"),
        ("TFLOP/s", "312 teraflops per second"),
    ],
)
def test_rates_of_work_are_read(unit: str, reply: str) -> None:
    """TFLOPS is TFLOP/s where a rate is asked."""
    assert mark(number("312*10**12", unit), {}, reply) == Mark(1.0)


@pytest.mark.parametrize(
    ("answer", "unit", "reply"),
    [
        ("1/8", "%", "12.5%"),
        ("1/8", "%", "12.5"),
        ("1/8", "", "1/8"),
        ("1/8", "", "12.5 %"),
        ("2/1000", "ms", "2 ms"),
        ("2/1000", "ms", "2000 µs"),
        ("16", "x", "16x"),
        ("10**10", "", "10 billion"),
        ("10**10", "", "10G"),
        ("8", "heads", "8 heads"),
        ("8", "heads", "8"),
        ("4", "flops/byte", "4 flops per byte"),
    ],
)
def test_other_dimensions(answer: str, unit: str, reply: str) -> None:
    """Shares, times, ratios, counts and intensities in the forms that people type."""
    assert mark(number(answer, unit), {}, reply) == Mark(1.0)


@given(st.integers(1, 10**15), st.sampled_from(["bytes", "KiB", "GiB", "GB", "heads", "%", ""]))
def test_the_model_answer_is_right(size: int, unit: str) -> None:
    """What is shown as the answer would be marked right, within a rounding of four digits."""
    assume(size > 0)
    question = number(str(size), unit, "1%")
    assert mark(question, {}, model_answer(question, {})) == Mark(1.0)
