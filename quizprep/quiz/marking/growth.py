"""Growth: a big-O expression is right, untidy, too loose or wrong, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from quizprep.content.draws import fill
from quizprep.content.questions import Growth, Scalar
from quizprep.formula import (
    Exponents,
    FormulaError,
    Polynomial,
    Relation,
    dominated,
    faster_direction,
    leading_terms,
    relation,
)
from quizprep.formula.growth_text import read_growth
from quizprep.quiz.marking.reply import Invalid, Mark

UNTIDY = 0.75
TOO_LOOSE = 0.25


def mark(question: Growth, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """Compare growths in every symbol, under the relations that the question gives."""
    try:
        said = read_growth(reply, question.symbols, question.also)
    except FormulaError as error:
        symbols = ", ".join(question.symbols)
        return Invalid(f"That {error}. Type a growth in {symbols}, such as O({_sample(question)}).")
    wanted = read_growth(question.answer, question.symbols)
    where = (*(relation(text) for text in question.where), *wanted.where, *said.where)
    trap = next(
        (t for t in question.traps if _same(question, t.gives, said.polynomial, where)), None
    )
    named = fill(trap.says, question, values).strip() if trap else None
    return _marked(question, said.polynomial, wanted.polynomial, where, named)


def answer(question: Growth) -> str:
    """``O(b*h*n*d)``, its symbols in the question's order."""
    polynomial = read_growth(question.answer, question.symbols).polynomial
    return f"O({_readable(polynomial, question)})"


def understood(question: Growth, reply: str) -> str:
    """The growth that a reply is read as; or why it is not read."""
    try:
        said = read_growth(reply, question.symbols, question.also)
    except FormulaError as error:
        return f"not read yet: that {error}"
    return f"understood as {_readable(said.polynomial, question)}"


def _marked(
    question: Growth,
    said: Polynomial,
    wanted: Polynomial,
    where: Sequence[Relation],
    trap: str | None,
) -> Mark:
    enough = dominated(wanted, said, where)
    tight = dominated(said, wanted, where)
    if enough and tight:
        return _tidiness(question, said, wanted, where)
    if enough:
        excess = _outgrowing(said, wanted, where)
        assert excess is not None
        says = (
            f"Too loose: it is an upper bound, but {_term(excess[0], question)} grows faster than "
            f"the answer when {_growing(excess[1])}."
        )
        return Mark(TOO_LOOSE, (says,), trap)
    if trap:
        return Mark(0.0, (), trap)
    missing = _outgrowing(wanted, said, where)
    assert missing is not None
    if tight:
        says = f"Too small: when {_growing(missing[1])}, the real growth outruns it."
    else:
        grows = _growing(missing[1])
        says = f"Not that: when {grows}, the real growth outruns it; elsewhere it is too large."
    return Mark(0.0, (says,))


def _tidiness(
    question: Growth, said: Polynomial, wanted: Polynomial, where: Sequence[Relation]
) -> Mark:
    """The mark of a right growth; lower-order terms and constants cost something."""
    leading = {monomial for monomial, _ in leading_terms(said, where).terms}
    written = {monomial for monomial, _ in wanted.terms}
    lower = [m for m, _ in said.terms if m not in leading and m not in written]
    constants = [c for m, c in said.terms if m not in lower and c != 1]
    says = []
    if lower:
        terms = ", ".join(_term(monomial, question) for monomial in lower)
        says.append(f"The growth is right, but lower-order terms are left in: drop {terms}.")
    if constants:
        kept = ", ".join(str(constant) for constant in constants)
        says.append(f"The growth is right, but a constant is left in: big-O drops the {kept}.")
    if len(says) == 2:
        return Mark(UNTIDY**2, tuple(says))
    return Mark(UNTIDY if says else 1.0, tuple(says))


def _same(question: Growth, text: str, said: Polynomial, where: Sequence[Relation]) -> bool:
    trap = read_growth(text, question.symbols)
    relations = (*where, *trap.where)
    return dominated(trap.polynomial, said, relations) and dominated(
        said, trap.polynomial, relations
    )


def _outgrowing(
    left: Polynomial, right: Polynomial, where: Sequence[Relation]
) -> tuple[Exponents, dict[str, Fraction]] | None:
    """A term of left that outgrows all of right, and a direction in which it does."""
    bounds = [monomial for monomial, _ in right.terms]
    for monomial, _ in left.terms:
        direction = faster_direction(monomial, bounds, where)
        if direction is not None:
            return monomial, direction
    return None


def _growing(direction: dict[str, Fraction]) -> str:
    names = [name for name in direction if not name.startswith(("log_", "sqrt_"))]
    if not names:
        return "every size is one"
    if len(names) == 1:
        return f"only {names[0]} grows"
    return f"{', '.join(names[:-1])} and {names[-1]} grow together"


def _term(monomial: Exponents, question: Growth) -> str:
    return _readable(Polynomial.of({monomial: Fraction(1)}), question)


def _readable(polynomial: Polynomial, question: Growth) -> str:
    order = list(question.symbols)
    ranked = [*order, *(f"{f}_{name}" for name in order for f in ("sqrt", "log"))]
    text = polynomial.text(ranked)
    for name in order:
        text = text.replace(f"sqrt_{name}", f"sqrt({name})").replace(f"log_{name}", f"log({name})")
    return text


def _sample(question: Growth) -> str:
    """An expression that shows how to type one; its fourth power is never the answer."""
    names = list(question.symbols)[:2]
    return f"{names[0]}^4 {names[1]}" if len(names) == 2 else f"{names[0]}^4"
