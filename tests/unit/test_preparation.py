"""Cases and metered points made ready: the same whatever was asked for first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.grading import wire
from quizprep.worker.backends import NumpyBackend
from quizprep.worker.judge import reference_cache
from quizprep.worker.judge.exercise_files import Reference
from quizprep.worker.judge.preparation import Cases, MeteredPoints, case_inputs, expected_of
from quizprep.worker.judge.reference_cache import ReferenceCache
from tests.unit.jobs import a_case, a_job, same_expected

BACKEND = NumpyBackend()
REFERENCE = Reference(
    lambda rng, n: {"x": rng.standard_normal((n, 3)), "order": rng.permutation(n)},
    lambda x, order: np.exp(x[order]).sum(axis=-1),
)
COUNT = 9
ASKED = st.lists(
    st.tuples(st.sampled_from(["step", "inputs", "expected"]), st.integers(0, COUNT - 1)),
    max_size=20,
)
POINTS = tuple(wire.Point(params={"n": 4 + n}, seed=7, held_out=False) for n in range(4))
WITNESS = wire.Point(params={"n": 20}, seed=7, held_out=False)
PURPOSES = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["step", "dispatch", "profile", "watched"])),
    max_size=20,
)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> wire.Job:
    folder = tmp_path_factory.mktemp("prepare")
    for name in ("reference.py", "solution.py"):
        (folder / name).touch()
    cases = tuple(a_case(params={"n": 1 + n}, seed=n, fresh=n > 5) for n in range(COUNT))
    return msgspec.structs.replace(a_job(Path(folder), cases), points=POINTS, witness=WITNESS)


@pytest.fixture
def left() -> Iterator[int]:
    fd = reference_cache.create()
    yield fd
    os.close(fd)


@given(ASKED)
def test_a_case_is_the_same_whenever_it_is_made_ready(
    job: wire.Job, asked: list[tuple[str, int]]
) -> None:
    """In whatever order inputs and what is right are asked for, or made before they are."""
    fd = reference_cache.create()
    cases = Cases(job, REFERENCE, BACKEND, ReferenceCache(fd, job))
    os.close(fd)
    for what, place in asked:
        if what == "step":
            cases.step()
        elif what == "inputs":
            alone = case_inputs(REFERENCE, job.cases[place], BACKEND)
            assert cases.inputs(place).placed == alone.placed
        else:
            inputs = case_inputs(REFERENCE, job.cases[place], BACKEND)
            right = expected_of(REFERENCE, job.cases[place], inputs, BACKEND)
            assert same_expected(cases.expected(place), right)


def test_all_cases_are_made_ready_step_by_step(job: wire.Job, left: int) -> None:
    """Two steps a case, and then none; what is kept of the fixed ones is not worked out again."""
    known = ReferenceCache(left, job)
    cases = Cases(job, REFERENCE, BACKEND, known)
    steps = 0
    while cases.step():
        steps += 1
    assert steps == 2 * COUNT
    assert known.expected.keys() == set(range(6))
    again = Cases(job, REFERENCE, BACKEND, known)
    assert all(again.expected(place) is known.expected[place] for place in range(6))


@given(PURPOSES)
def test_a_point_is_the_same_whenever_it_is_made_ready(
    job: wire.Job, asked: list[tuple[int, str]]
) -> None:
    """Each purpose has inputs of its own at a point, which depend on nothing else."""
    metered = MeteredPoints(job, REFERENCE, BACKEND)
    points = (*POINTS, WITNESS)
    for place, purpose in asked:
        if purpose == "step":
            metered.step()
            continue
        alone = MeteredPoints(job, REFERENCE, BACKEND).inputs(points[place], purpose)
        inputs = metered.inputs(points[place], purpose)
        assert inputs.placed == alone.placed
        assert same_expected(inputs.expected, alone.expected)
    first, second = (
        metered.inputs(WITNESS, purpose).placed.memory for purpose in ("dispatch", "watched")
    )
    assert first != second
