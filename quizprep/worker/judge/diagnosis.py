"""Which known mistake explains the learner's outputs? It is named only if it does in every case.

The model of each mistake, then of each pair, runs on the inputs of every case; a candidate drops
out at its first disagreement. If two different explanations survive, these cases cannot tell them
apart, and neither is named: no guess is better than a wrong name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np

from quizprep.grading.verdict import NamedMistake
from quizprep.worker.backends import Array, Backend, Function
from quizprep.worker.judge.comparison import Expected, model
from quizprep.worker.judge.exercise_files import Mistakes

SHARED_SLACK = 1.5
"""Factor on the allowed error: both the learner's outputs and the model's are rounded."""


@dataclass(frozen=True)
class Observed:
    """A case as observed: its inputs, the expected outputs, and the learner's.

    ``outputs`` is None if the submission raised; then ``raised`` is the exception's name.
    """

    args: tuple[Array, ...]
    expected: Expected
    outputs: tuple[np.ndarray, ...] | None
    raised: str
    failed: bool
    transform: Callable[[Function], Function] = lambda solve: solve
    """What the case does with the function it judges, such as differentiating it."""
    wrong_outputs: bool = False
    """Whether it failed because of its outputs, not by modifying an input, say."""


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
) -> tuple[NamedMistake, ...]:
    """The mistakes that explain all cases: one, a pair, or none.

    ``models`` caches runs on the same cases for the next diagnosis.
    """
    if not any(case.failed for case in cases):
        return ()
    models = models or Models(known, backend)
    # Failing cases first: they are where most candidates drop out.
    order = sorted(range(len(cases)), key=lambda place: not cases[place].failed)
    for size in (1, 2):
        found: list[tuple[str, ...]] = []
        for names, switches in candidates(known, size):
            if names in found:
                continue
            if not all(_agrees(models.run(switches, p, cases[p]), cases[p]) for p in order):
                continue
            if any(_is_evidence(models.run(switches, p, cases[p]), cases[p]) for p in order):
                found.append(names)
        if len(found) == 1:
            return tuple(NamedMistake.of(name, known.mistakes[name]) for name in found[0])
        if found:
            break
    return ()


def candidates(known: Mistakes, size: int) -> Iterator[tuple[tuple[str, ...], frozenset[str]]]:
    """Every combination of ``size`` mistakes, each in every variant."""
    wrong_output = [name for name, mistake in known.mistakes.items() if not mistake.cost]
    for names in combinations(wrong_output, size):
        for switches in product(*(known.mistakes[name].switches(name) for name in names)):
            yield names, frozenset(switches)


def _agrees(run: Expected | str, case: Observed) -> bool:
    if isinstance(run, str) or case.outputs is None:
        return isinstance(run, str) and case.outputs is None and run == case.raised
    if len(run.values) != len(case.outputs):
        return False
    return not _differ(run.values, run, case)


def _is_evidence(run: Expected | str, case: Observed) -> bool:
    """Whether agreement on this case is evidence for the mistake. It is not if the case passed, or
    if the reference agrees with the learner within the model's tolerance too: at the edge of a
    condition, a unit in the last place of an input changes a model as much as a mistake does."""
    if isinstance(run, str) or not case.failed:
        return case.failed
    return _differ(case.expected.values, run, case)


def _differ(values: tuple[np.ndarray, ...], run: Expected, case: Observed) -> bool:
    """Whether these values differ from the learner's outputs by more than a model's run allows."""
    assert case.outputs is not None
    both = zip(run.allowed, case.expected.allowed, strict=True)
    allowed = tuple(np.asarray(SHARED_SLACK * np.maximum(one, other)) for one, other in both)
    return not replace(run, values=values, allowed=allowed).accepts(case.outputs)
