"""Cases and metered points made ready: inputs laid out, right outputs worked out.

The judge does it a piece at a time while the learner's process gets confined, loads the
submission or is at work on an earlier call: one of the two would wait for half of a grading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from quizprep.grading import wire
from quizprep.worker import arena, protocol
from quizprep.worker.backends import Array, Backend, Function
from quizprep.worker.judge.channel import AHEAD
from quizprep.worker.judge.comparison import Expected, expect, expect_roughly, places
from quizprep.worker.judge.exercise_files import Reference
from quizprep.worker.judge.random_inputs import Deck
from quizprep.worker.judge.reference_cache import ReferenceCache

Around = Callable[[Function], Function]


def as_it_is(solve: Function) -> Function:
    return solve


@dataclass(frozen=True)
class Inputs:
    """Inputs of a case, and what makes of a function the one that is judged."""

    laid: arena.Laid
    args: tuple[Array, ...]
    """Over the private bytes of ``laid``."""
    around: Around


class Cases:
    """The cases of one job, made ready in order."""

    def __init__(
        self, job: wire.Job, reference: Reference, backend: Backend, cache: ReferenceCache
    ) -> None:
        """``cache`` knows what is right for fixed cases from an earlier grading."""
        self._cases = job.cases
        self._reference = reference
        self._backend = backend
        self._cache = cache
        self._inputs: list[Inputs] = []
        self._expected: list[Expected] = []

    def step(self) -> bool:
        """Do the next piece; False where all is done."""
        made, right = len(self._inputs), len(self._expected)
        # Inputs for so many calls at once are wanted before what is right for the first.
        if made < min(right + AHEAD + 1, len(self._cases)):
            self._lay(self._cases[made])
        elif right < made:
            self._work_out(right, self._cases[right])
        else:
            return False
        return True

    def inputs(self, place: int) -> Inputs:
        """The inputs of the case at that place."""
        while len(self._inputs) <= place:
            self._lay(self._cases[len(self._inputs)])
        return self._inputs[place]

    def expected(self, place: int) -> Expected:
        """What is right for the case at that place."""
        while len(self._expected) <= place:
            self.step()
        return self._expected[place]

    def _lay(self, case: wire.Case) -> None:
        laid = lay_case(self._reference, case, self._backend)
        around: Around = as_it_is
        if case.gradients:
            laid, around = weighted(laid, case, self._reference, self._backend)
        self._inputs.append(Inputs(laid, laid.views(self._backend), around))

    def _work_out(self, place: int, case: wire.Case) -> None:
        found = self._cache.expected.get(place)
        if found is None:
            made = self._inputs[place]
            found = expected_of(self._reference, case, made.args, self._backend, made.around)
            self._cache.add(place, case, found)
        self._expected.append(found)


@dataclass(frozen=True)
class Ground:
    """Where a cost is measured: inputs, and what is right there up to a rough tolerance."""

    laid: arena.Laid
    args: tuple[Array, ...]
    work_out: Callable[..., Expected]

    @cached_property
    def expected(self) -> Expected:
        return self.work_out(*self.args)


class Grounds:
    """The points of one job, and what else is measured, made ready in the order of need."""

    def __init__(self, job: wire.Job, reference: Reference, backend: Backend) -> None:
        self._job = job
        self._reference = reference
        self._backend = backend
        self._deck = Deck(job.points[0].seed if job.points else 0)
        self._made: dict[tuple[int, str], Ground] = {}
        """By the identity of a point, which the job holds, and the way it is measured."""
        self._pieces = self._in_order()

    def step(self) -> bool:
        """Do the next piece; False where all is done."""
        return next(self._pieces, False)

    def _in_order(self) -> Iterator[bool]:
        way = "" if self._reference.drive is not None else "dispatch"
        pairs = [point for pair in self._job.compared for point in (pair.at, pair.against)]
        for point in (*self._job.points, *pairs):
            ground = self.of(point, way)
            yield True
            # Worked out for the first time, and remembered.
            assert ground.expected is not None
            yield True
        if self._job.witness is not None:
            self.of(self._job.witness, "dispatch")
            yield True
            ground = self.of(self._job.witness, "watched")
            yield True
            assert ground.expected is not None
            yield True

    def of(self, point: wire.Point, way: str) -> Ground:
        """A point for one way of measuring. Each way draws inputs of its own, so that an answer
        remembered from one is of no use in the next."""
        key = (id(point), way)
        if key not in self._made:
            self._deck.cut([point.seed, *way.encode()])
            inputs = self._reference.make_inputs(self._deck, **point.params)
            cases = self._job.spec.cases
            laid = arena.lay_out(inputs, self._backend, cases.dtypes[0], "contiguous", cases.guards)
            self._made[key] = Ground(laid, laid.views(self._backend), self._right)
        return self._made[key]

    def _right(self, *args: Array) -> Expected:
        solve = self._reference.solve_cost or self._reference.solve
        expected = expect_roughly(solve, args, self._backend)
        if self._reference.allowance_cost is None:
            return expected
        return expected.allowing(self._reference.allowance_cost(*args))


def lay_case(reference: Reference, case: wire.Case, backend: Backend) -> arena.Laid:
    """The inputs of a case, laid out in private memory."""
    made = reference.make_inputs(np.random.default_rng(case.seed), **case.params)
    scaled = {name: _scaled(value, case.magnitude) for name, value in made.items()}
    return arena.lay_out(scaled, backend, case.dtype, case.layout, case.guards)


def expected_of(
    reference: Reference,
    case: wire.Case,
    args: Sequence[Array],
    backend: Backend,
    around: Around = as_it_is,
) -> Expected:
    """What is right for a case on these inputs."""
    rng = np.random.default_rng(case.seed + 1)
    solve = around(reference.solve)
    expected = expect(solve, args, backend, rng, case.magnitude, cancels=bool(case.gradients))
    if reference.allowance is None:
        return expected
    return expected.allowing(reference.allowance(*args))


def weighted(
    laid: arena.Laid, case: wire.Case, reference: Reference, backend: Backend
) -> tuple[arena.Laid, Around]:
    """The inputs of a case with weights for its outputs, and what differentiates a function by
    the inputs the case names."""
    from quizprep.worker.learner.torch_meters import differentiated

    gradients = tuple(laid.names.index(name) for name in case.gradients)
    rng = np.random.default_rng(case.seed + 2)
    results = places(reference.solve(*laid.views(backend)))
    made = {str(place): rng.standard_normal(tuple(x.shape)) for place, x in enumerate(results)}
    weights = arena.lay_out(made, backend, case.dtype, "contiguous", False)
    start = len(laid.memory)
    ats = tuple(arena.moved(at, start) for at in weights.args if isinstance(at, protocol.TensorAt))
    whole = replace(laid, memory=laid.memory + weights.memory, gradients=gradients, cotangents=ats)
    cotangents = weights.views(backend)

    def around(solve: Function) -> Function:
        def call(*args: Array) -> Array:
            first = next(args[place] for place in gradients)
            return differentiated(solve, gradients, [c.to(first.dtype) for c in cotangents])(*args)

        return call

    return whole, around


def _scaled(value: Array, magnitude: float) -> Array:
    if magnitude != 1.0 and isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value * magnitude
    return value
