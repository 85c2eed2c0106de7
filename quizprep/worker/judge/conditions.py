"""When does a failure occur? The simplest condition on a case's parameters that separates the cases
in which it occurs from those in which it does not.

A condition is a statement about the cases that were run, not a guess about others: it is said only
if it holds without exception.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

from quizprep.grading.verdict import Scalar
from quizprep.grading.wire import Case

HALVES = ("bfloat16", "float16")

PLAIN, RELATION, THRESHOLD = 2, 4, 5
"""Failing cases, and passing ones, that a predicate of each kind has to tell apart. The less likely
a program depends on a property, the more cases it takes until it no longer does so by chance."""


@dataclass(frozen=True)
class Condition:
    """When a failure occurs, in words. ``exact``: whenever this holds; otherwise only then."""

    says: str
    exact: bool = True


ALWAYS = Condition("")


@dataclass(frozen=True)
class Predicate:
    """A property that cases have or not: in words, as a set of places (bit by bit), and how many
    cases on either side it needs as support."""

    says: str
    places: int
    support: int = PLAIN


def condition(cases: Sequence[Case], failing: set[int], passing: set[int]) -> Condition | None:
    """The condition under which the cases at places ``failing`` fail and those at ``passing`` pass.

    Returns ALWAYS if nothing passes, None if no simple condition separates them.
    """
    if not passing:
        return ALWAYS
    fails, both = _bits(failing), _bits(failing | passing)
    predicates = _Predicates(cases, sorted(failing | passing))
    known = [p for p in predicates if p.support <= min(len(failing), len(passing))]
    for predicate in known:
        if predicate.places & both == fails:
            return Condition(predicate.says)
    for one, two in combinations([p for p in known if p.places & fails == fails], 2):
        if one.places & two.places & both == fails:
            # What each rules out that the other does not.
            more = (two.places & both & ~one.places, one.places & both & ~two.places)
            if all(p.support <= out.bit_count() for p, out in zip((one, two), more, strict=True)):
                return Condition(f"{one.says} and {two.says}")
    return _necessary(known, fails, both & ~fails)


def _necessary(known: Sequence[Predicate], fails: int, passes: int) -> Condition | None:
    """The predicate that all failing cases have, and the fewest others, if it rules out most of
    those that pass."""
    held = [p for p in known if p.support < THRESHOLD and p.places & fails == fails]
    best = min(held, key=lambda p: (p.places & passes).bit_count(), default=None)
    if best is None:
        return None
    others = (best.places & passes).bit_count()
    if 2 * others > passes.bit_count() or others > fails.bit_count():
        return None
    return Condition(best.says, exact=False)


def _bits(places: set[int]) -> int:
    return sum(1 << place for place in places)


class _Predicates:
    """The predicates over the cases at some places, the likeliest first."""

    def __init__(self, cases: Sequence[Case], places: Sequence[int]) -> None:
        self._cases = {place: cases[place] for place in places}
        self._first = places[0]
        self._names = list(cases[self._first].params)

    def __iter__(self) -> Iterator[Predicate]:
        yield from self._kinds()
        numbers = [n for n in self._names if all(type(v) is int for v in self._values(n))]
        for name in self._names:
            if name in numbers:
                yield self._by(name, lambda value: _number(value) > 1, f"{name} > 1")
            else:
                yield from self._options(name)
        for one, two in combinations(numbers, 2):
            yield from self._relations(one, two)
        for name in numbers:
            yield from self._thresholds(name)

    def _where(self, says: str, holds: Callable[[Case], bool], support: int = PLAIN) -> Predicate:
        held = {place for place, case in self._cases.items() if holds(case)}
        return Predicate(says, _bits(held), support)

    def _by(
        self, name: str, holds: Callable[[Scalar], bool], says: str, support: int = PLAIN
    ) -> Predicate:
        """By one parameter."""
        return self._where(says, lambda case: holds(case.params[name]), support)

    def _values(self, name: str) -> set[Scalar]:
        return {case.params[name] for case in self._cases.values()}

    def _kinds(self) -> Iterator[Predicate]:
        """By dtype, layout, magnitude and order."""
        for dtype in sorted({case.dtype for case in self._cases.values()}):
            yield self._where(f"the dtype is {dtype}", partial(_has_dtype, dtype))
        yield self._where("the dtype is bfloat16 or float16", lambda case: case.dtype in HALVES)
        yield self._where("inputs are not contiguous", lambda case: case.layout != "contiguous")
        for layout in sorted({case.layout for case in self._cases.values()} - {"contiguous"}):
            yield self._where(f"the layout is {layout}", partial(_has_layout, layout))
        yield self._where("inputs are enlarged", lambda case: case.magnitude > 1)
        yield Predicate(
            "it is not the first call", _bits({*self._cases} - {self._first}), THRESHOLD
        )

    def _options(self, name: str) -> Iterator[Predicate]:
        """By the value of a parameter that is not always a number."""
        yield self._by(name, lambda value: value is not None, f"{name} is given")
        for option in sorted(self._values(name), key=str):
            says = f"{name} is {'left out' if option is None else option}"
            yield self._by(name, partial(operator.eq, option), says)

    def _relations(self, one: str, two: str) -> Iterator[Predicate]:
        """By the order of two sizes, and by whether one divides the other."""

        def where(says: str, holds: Callable[[int, int], bool]) -> Predicate:
            return self._where(
                says,
                lambda case: holds(_number(case.params[one]), _number(case.params[two])),
                RELATION,
            )

        yield where(f"{one} > {two}", operator.gt)
        yield where(f"{one} < {two}", operator.lt)
        yield where(f"{one} != {two}", operator.ne)
        yield where(f"{one} = {two}", operator.eq)
        yield where(f"{one} is not a multiple of {two}", lambda a, b: bool(b and a % b))
        yield where(f"{two} is not a multiple of {one}", lambda a, b: bool(a and b % a))
        yield where(f"{one} >= {two}", operator.ge)
        yield where(f"{one} <= {two}", operator.le)

    def _thresholds(self, name: str) -> Iterator[Predicate]:
        """By one size alone."""
        values = sorted(map(_number, self._values(name)))
        for value in values:
            if value in (0, 1):
                yield self._by(name, partial(operator.eq, value), f"{name} is {value}")
        for value in values[:-1]:
            yield self._by(name, partial(operator.lt, value), f"{name} > {value}", THRESHOLD)
        for value in values[1:]:
            yield self._by(name, partial(operator.gt, value), f"{name} < {value}", THRESHOLD)
        for value in values[1:-1]:
            yield self._by(name, partial(operator.eq, value), f"{name} is {value}", THRESHOLD)


def _number(value: Scalar) -> int:
    """A parameter that is a number in all cases."""
    assert isinstance(value, int)
    return value


def _has_dtype(dtype: str, case: Case) -> bool:
    return case.dtype == dtype


def _has_layout(layout: str, case: Case) -> bool:
    return case.layout == layout
