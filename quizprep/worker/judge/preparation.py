"""The inputs and expected outputs of cases and metered points, prepared step by step.

The judge prepares them while the learner's process confines itself, loads the submission or
executes an earlier call; otherwise one of the two would be idle for half of a grading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from quizprep.grading import wire
from quizprep.worker import arena, protocol
from quizprep.worker.backends import Array, Backend, Function, outputs_of
from quizprep.worker.judge.channel import IN_FLIGHT
from quizprep.worker.judge.comparison import Expected, expect, expect_roughly
from quizprep.worker.judge.exercise_files import Reference
from quizprep.worker.judge.reference_cache import ReferenceCache

Transform = Callable[[Function], Function]


def unchanged(solve: Function) -> Function:
    """The transform of a case that judges a function as it is."""
    return solve


@dataclass(frozen=True)
class CaseInputs:
    """Inputs of a case, and the transform that makes of a function the one that is judged: for a
    case with gradients, one that returns them as well."""

    placed: arena.PlacedInputs
    args: tuple[Array, ...]
    """Views of the private bytes of ``placed``."""
    transform: Transform


class Cases:
    """The cases of one job, prepared in order."""

    def __init__(
        self, job: wire.Job, reference: Reference, backend: Backend, cache: ReferenceCache
    ) -> None:
        """``cache`` has the expected outputs of fixed cases from an earlier grading."""
        self._cases = job.cases
        self._reference = reference
        self._backend = backend
        self._cache = cache
        self._inputs: list[CaseInputs] = []
        self._expected: list[Expected] = []

    def step(self) -> bool:
        """Prepare the next inputs or expected outputs; False once everything is prepared."""
        have_inputs, have_expected = len(self._inputs), len(self._expected)
        # The inputs of all calls in flight are needed before the first expected outputs.
        if have_inputs < min(have_expected + IN_FLIGHT + 1, len(self._cases)):
            self._place_next()
        elif have_expected < have_inputs:
            self._expect(have_expected)
        else:
            return False
        return True

    def inputs(self, place: int) -> CaseInputs:
        """The inputs of the case at that place."""
        while len(self._inputs) <= place:
            self._place_next()
        return self._inputs[place]

    def expected(self, place: int) -> Expected:
        """The expected outputs of the case at that place."""
        while len(self._expected) <= place:
            self.step()
        return self._expected[place]

    def _place_next(self) -> None:
        case = self._cases[len(self._inputs)]
        self._inputs.append(case_inputs(self._reference, case, self._backend))

    def _expect(self, place: int) -> None:
        case, found = self._cases[place], self._cache.expected.get(place)
        if found is None:
            found = expected_of(self._reference, case, self._inputs[place], self._backend)
            self._cache.add(place, case, found)
        self._expected.append(found)


@dataclass(frozen=True)
class MeteredInputs:
    """Inputs of a metered call, and the outputs that are right there up to a rough tolerance."""

    placed: arena.PlacedInputs
    args: tuple[Array, ...]
    compute_expected: Callable[..., Expected]

    @cached_property
    def expected(self) -> Expected:
        return self.compute_expected(*self.args)


class MeteredPoints:
    """The inputs of all metered calls of one job, prepared in the order of the calls."""

    def __init__(self, job: wire.Job, reference: Reference, backend: Backend) -> None:
        self._job = job
        self._reference = reference
        self._backend = backend
        self._normals = SlicedNormals(job.points[0].seed if job.points else 0)
        self._inputs: dict[tuple[int, str], MeteredInputs] = {}
        """By the id of a point, which the job holds, and the purpose of the call."""
        self._steps = self._in_order()

    def step(self) -> bool:
        """Prepare the next inputs or expected outputs; False once everything is prepared."""
        return next(self._steps, False)

    def _in_order(self) -> Iterator[bool]:
        purpose = "" if self._reference.drive is not None else "dispatch"
        compared = [point for pair in self._job.compared for point in (pair.at, pair.against)]
        calls = [(point, purpose, True) for point in (*self._job.points, *compared)]
        if self._job.witness is not None:
            # The outputs of the first call at the witness's size are not checked.
            calls += [(self._job.witness, "dispatch", False), (self._job.witness, "watched", True)]
        for point, purpose, judged in calls:
            inputs = self.inputs(point, purpose)
            yield True
            if judged:
                _ = inputs.expected  # computed and cached
                yield True

    def inputs(self, point: wire.Point, purpose: str) -> MeteredInputs:
        """The inputs at a point for one purpose, the name of a meter for instance. Each purpose
        gets values of its own, so that the answer to one call is useless in the next."""
        key = (id(point), purpose)
        if key not in self._inputs:
            self._normals.next_slice([point.seed, *purpose.encode()])
            inputs = self._reference.make_inputs(self._normals, **point.params)
            cases = self._job.spec.cases
            placed = arena.lay_out(
                inputs, self._backend, cases.dtypes[0], "contiguous", cases.guards
            )
            args = placed.views(self._backend)
            self._inputs[key] = MeteredInputs(placed, args, self._compute_expected)
        return self._inputs[key]

    def _compute_expected(self, *args: Array) -> Expected:
        solve = self._reference.solve_cost or self._reference.solve
        expected = expect_roughly(solve, args, self._backend)
        if self._reference.allowance_cost is None:
            return expected
        return expected.allowing(self._reference.allowance_cost(*args))


def case_inputs(reference: Reference, case: wire.Case, backend: Backend) -> CaseInputs:
    """The inputs of a case, placed in private memory."""
    made = reference.make_inputs(np.random.default_rng(case.seed), **case.params)
    scaled = {name: _scaled(value, case.magnitude) for name, value in made.items()}
    placed = arena.lay_out(scaled, backend, case.dtype, case.layout, case.guards, case.seed)
    transform: Transform = unchanged
    if case.gradients:
        placed, transform = _with_gradients(placed, case, reference, backend)
    return CaseInputs(placed, placed.views(backend), transform)


def _scaled(value: Array, magnitude: float) -> Array:
    if magnitude != 1.0 and isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value * magnitude
    return value


def expected_of(
    reference: Reference, case: wire.Case, inputs: CaseInputs, backend: Backend
) -> Expected:
    """The expected outputs of a case."""
    rng = np.random.default_rng(case.seed + 1)
    solve = inputs.transform(reference.solve)
    cancels = bool(case.gradients)
    expected = expect(solve, inputs.args, backend, rng, case.magnitude, cancels=cancels)
    if reference.allowance is None:
        return expected
    return expected.allowing(reference.allowance(*inputs.args))


def _with_gradients(
    placed: arena.PlacedInputs, case: wire.Case, reference: Reference, backend: Backend
) -> tuple[arena.PlacedInputs, Transform]:
    """The inputs of a case with cotangents for its outputs behind them, and the transform that
    differentiates a function by the inputs that the case names."""
    from quizprep.worker.learner.torch_meters import differentiated

    gradients = tuple(placed.names.index(name) for name in case.gradients)
    rng = np.random.default_rng(case.seed + 2)
    results = outputs_of(reference.solve(*placed.views(backend)))
    made = {str(place): rng.standard_normal(tuple(x.shape)) for place, x in enumerate(results)}
    weights = arena.lay_out(made, backend, case.dtype, "contiguous", False)
    start = len(placed.memory)
    ats = tuple(arena.moved(at, start) for at in weights.args if isinstance(at, protocol.TensorAt))
    memory = placed.memory + weights.memory
    whole = replace(placed, memory=memory, gradients=gradients, cotangents=ats)
    cotangents = weights.views(backend)

    def transform(solve: Function) -> Function:
        def call(*args: Array) -> Array:
            first = next(args[place] for place in gradients)
            return differentiated(solve, gradients, [c.to(first.dtype) for c in cotangents])(*args)

        return call

    return whole, transform


class SlicedNormals(np.random.Generator):
    """A generator whose normal values are slices of one long array, drawn as far as it is used.

    At the witness's size, drawing millions of normal values took longer than all other work.
    Each call gets a different slice, so answers cannot be replayed, and no value repeats within a
    call. A slice depends on its seed alone, not on earlier slices. Values are float32, the dtype in
    which costs are measured.
    """

    OFFSETS = 1 << 16
    """Possible starts of a slice: enough that no two calls of a grading share one."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.SFC64(seed))
        self._source = np.random.Generator(np.random.SFC64([seed, 1]))
        self._values = np.empty(0, dtype=np.float32)
        self._offset = 0

    def next_slice(self, seed: Sequence[int]) -> None:
        """Start the inputs of a call; all other random values follow from the seed as well."""
        self.bit_generator.state = np.random.SFC64(list(seed)).state
        self._offset = int(self.integers(self.OFFSETS))

    def standard_normal(  # type: ignore[override]
        self, size: int | tuple[int, ...] | None = None, *_: object, **__: object
    ) -> float | np.ndarray:
        """Normal values in this shape, float32."""
        sizes = () if size is None else size if isinstance(size, tuple) else (size,)
        start, end = self._offset, self._offset + math.prod(int(n) for n in sizes)
        if end > len(self._values):
            more = self._source.standard_normal(end - len(self._values), dtype=np.float32)
            self._values = np.concatenate([self._values, more])
        self._offset = end
        values = self._values[start:end]
        return float(values[0]) if size is None else values.reshape(size).copy()
