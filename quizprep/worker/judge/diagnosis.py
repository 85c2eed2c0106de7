"""Which known mistake explains the learner's outputs? It is named only if it does in every case.

The model of each mistake, then of each pair, runs on the inputs of every case; a candidate drops
out at its first disagreement. If two different explanations survive, these cases cannot tell them
apart, and both are told as alternatives: no guess is better than a wrong name.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, product

import numpy as np

from quizprep.grading.verdict import NamedMistake
from quizprep.worker.backends import Array, Backend, Function
from quizprep.worker.judge.comparison import Expected, model
from quizprep.worker.judge.conditions import HALVES
from quizprep.worker.judge.error_location import empty_rows
from quizprep.worker.judge.exercise_files import Mistakes


class Rows(enum.Enum):
    """The rows of outputs that are compared."""

    ALL = enum.auto()
    FILLED = enum.auto()
    """Those in which something is visible."""


ALL, FILLED = Rows.ALL, Rows.FILLED

MIN_EVIDENCE = 3
"""Cases that must be evidence for a mistake where others are left out."""

MAX_ALTERNATIVES = 3
"""More explanations than this are no help."""

Candidate = tuple[tuple[str, ...], frozenset[str]]
"""The names of mistakes, and the switches that make a model of them."""

SHARED_SLACK = 1.5
"""Factor on the allowed error: both the learner's outputs and the model's are rounded."""


@dataclass(frozen=True)
class Observed:
    """A case as observed: its inputs, the expected outputs, and the learner's.

    outputs       None if there are none
    straightened  the outputs in the right shapes, where theirs are only turned
    raised        the name of the exception that the submission raised, if it did
    dtype         the working dtype
    """

    args: tuple[Array, ...]
    expected: Expected
    outputs: tuple[np.ndarray, ...] | None
    raised: str
    failed: bool
    transform: Callable[[Function], Function] = lambda solve: solve
    """What the case does with the function it judges, such as differentiating it."""
    straightened: tuple[np.ndarray, ...] | None = None
    dtype: str = ""

    @cached_property
    def wrong_values(self) -> bool:
        """Whether it has outputs whose values are wrong, whatever their shapes and dtypes."""
        seen = self.outputs if self.straightened is None else self.straightened
        return self.failed and seen is not None and not self.expected.accepts(seen)


@dataclass(frozen=True)
class Diagnosis:
    """The mistakes that a submission makes, and those of which it makes one set, where the cases do
    not show which."""

    mistakes: tuple[NamedMistake, ...] = ()
    alternatives: tuple[tuple[NamedMistake, ...], ...] = ()


class Models:
    """Runs of the models of mistakes, each made once."""

    def __init__(self, known: Mistakes, backend: Backend) -> None:
        self._known = known
        self._backend = backend
        self._runs: dict[tuple[frozenset[str], int], Expected | str] = {}
        self.count = 0

    def run(self, switches: frozenset[str], place: int, case: Observed) -> Expected | str:
        """The model's outputs on a case, or the name of the exception that it raises."""
        key = (switches, place)
        if key not in self._runs:
            self.count += 1
            solve: Function = self._known.solve
            try:
                self._runs[key] = model(
                    case.transform(lambda *args: solve(*args, mistakes=switches)),
                    case.args,
                    self._backend,
                    np.random.default_rng(place),
                )
            except Exception as error:
                self._runs[key] = type(error).__name__
        return self._runs[key]


def diagnose(
    known: Mistakes,
    cases: Sequence[Observed],
    backend: Backend,
    models: Models | None = None,
) -> Diagnosis:
    """The mistakes, one or a pair, that explain every case in which there is something to explain.

    ``models`` caches runs on the same cases for the next diagnosis.

    If nothing explains all cases, those are left out that raise, for an exception may have a cause
    of its own; then those in half precision, where a second slip often shows; then the rows in
    which nothing is visible.
    """
    if not any(case.failed for case in cases):
        return Diagnosis()
    models = models or Models(known, backend)
    everything = list(range(len(cases)))
    valued = [place for place in everything if cases[place].outputs is not None]
    precise = [place for place in valued if cases[place].dtype not in HALVES]
    for places, rows in ((everything, ALL), (valued, ALL), (precise, ALL), (valued, FILLED)):
        needed = 1 if len(places) == len(cases) else MIN_EVIDENCE
        found = _explanations(known, cases, models, places, rows, needed)
        if found:
            return _diagnosis(known, found)
    return Diagnosis()


def _diagnosis(known: Mistakes, found: Sequence[tuple[str, ...]]) -> Diagnosis:
    """What to say if each of these explains everything: what they have in common is certain."""
    common = [name for name in found[0] if all(name in names for names in found)]
    rest = [tuple(name for name in names if name not in common) for names in found]

    def named(names: Sequence[str]) -> tuple[NamedMistake, ...]:
        return tuple(NamedMistake.of(name, known.mistakes[name]) for name in names)

    if len(found) == 1:
        return Diagnosis(named(found[0]))
    if len(found) > MAX_ALTERNATIVES:
        return Diagnosis()
    return Diagnosis(named(common), tuple(map(named, rest)))


def _explanations(
    known: Mistakes,
    cases: Sequence[Observed],
    models: Models,
    places: Sequence[int],
    rows: Rows,
    needed: int,
) -> list[tuple[str, ...]]:
    """The smallest sets of mistakes that explain the cases at these places; at least ``needed`` of
    them must be evidence."""
    # Failing cases first: they are where most candidates drop out.
    order = sorted(places, key=lambda place: not cases[place].failed)
    for kind in (candidates(known, 1), _in_one_function(known), candidates(known, 2)):
        found: list[tuple[str, ...]] = []
        for names, switches in kind:
            if names in found:
                continue
            agrees = (_agrees(models.run(switches, p, cases[p]), cases[p], rows) for p in order)
            if not all(agrees):
                continue
            evidence = (
                _is_evidence(models.run(switches, p, cases[p]), cases[p], rows) for p in order
            )
            if sum(evidence) >= needed:
                found.append(names)
        if found:
            return found
    return []


def candidates(known: Mistakes, size: int) -> Iterator[Candidate]:
    """Every combination of ``size`` mistakes, each in every variant."""
    wrong_output = [name for name, mistake in known.mistakes.items() if not mistake.cost]
    for names in combinations(wrong_output, size):
        for switches in product(*(known.mistakes[name].switches(name) for name in names)):
            yield names, frozenset(switches)


def _in_one_function(known: Mistakes) -> Iterator[Candidate]:
    """Each mistake in each of an exercise's functions alone."""
    for names, switches in candidates(known, 1):
        for function in known.functions:
            yield names, frozenset(f"{switch}@{function}" for switch in switches)


def _agrees(run: Expected | str, case: Observed, rows: Rows) -> bool:
    """Whether a model's run gives what was observed."""
    if isinstance(run, str) or case.outputs is None:
        return isinstance(run, str) and case.outputs is None and run == case.raised
    return _matching(run, case, rows) is not None


def _matching(run: Expected, case: Observed, rows: Rows) -> tuple[np.ndarray, ...] | None:
    """The learner's outputs, as they are or straightened, that a model's run gives; or None."""
    for outputs in (case.outputs, case.straightened):
        if outputs is not None and not _differ(run.values, run, case, outputs, rows):
            return outputs
    return None


def _is_evidence(run: Expected | str, case: Observed, rows: Rows) -> bool:
    """Whether agreement on this case is evidence for the mistake. It is not if the case passed, or
    if the reference agrees with the learner within the model's tolerance too: at the edge of a
    condition, a unit in the last place of an input changes a model as much as a mistake does."""
    if isinstance(run, str) or not case.failed or case.outputs is None:
        return isinstance(run, str) and case.failed
    outputs = _matching(run, case, rows)
    return outputs is not None and _differ(case.expected.values, run, case, outputs, rows)


def _differ(
    values: tuple[np.ndarray, ...],
    run: Expected,
    case: Observed,
    outputs: tuple[np.ndarray, ...],
    rows: Rows,
) -> bool:
    """Whether these values differ from the learner's outputs by more than a model's run allows."""
    if len(run.values) != len(outputs):
        return True
    both = zip(run.allowed, case.expected.allowed, strict=True)
    allowed = tuple(np.asarray(SHARED_SLACK * np.maximum(one, other)) for one, other in both)
    if rows is FILLED:
        values, outputs = _filled(values, case.expected), _filled(outputs, case.expected)
    return not replace(run, values=values, allowed=allowed).accepts(outputs)


def _filled(values: tuple[np.ndarray, ...], expected: Expected) -> tuple[np.ndarray, ...]:
    """The values with 0 in all rows in which nothing is visible."""
    return tuple(
        np.where(empty_rows(right), 0.0, value) if value.shape == right.shape else value
        for value, right in zip(values, expected.values, strict=True)
    )
