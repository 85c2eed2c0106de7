"""What one judge leaves to the next: as it was, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from quizprep.content.library import Library, shipped_root
from quizprep.grading import wire
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.worker import arena
from quizprep.worker.judge import reference_cache
from quizprep.worker.judge.comparison import Expected
from quizprep.worker.judge.reference_cache import ReferenceCache
from tests.unit.jobs import a_case, a_job, same_expected

FLOATS = st.floats(width=64, allow_nan=False)
VALUES = array_shapes(min_dims=0, max_dims=3, max_side=3).flatmap(
    lambda shape: arrays(np.float64, shape, elements=FLOATS)
)
EXPECTED = st.lists(st.tuples(VALUES, FLOATS), min_size=1, max_size=3).map(
    lambda pairs: Expected(
        values=tuple(value for value, _ in pairs),
        allowed=tuple(np.asarray(off) for _, off in pairs),
        dtypes=("float32",) * len(pairs),
        names=("o",) * len(pairs),
    )
)
LIBRARY = Library(shipped_root())


@pytest.fixture
def fd() -> Iterator[int]:
    descriptor = reference_cache.create()
    yield descriptor
    os.close(descriptor)


def job(folder: Path, reference: str = "", fresh: int = 1) -> wire.Job:
    """A job with two fixed cases and fresh ones over an exercise whose files hold this text."""
    folder.mkdir(exist_ok=True)
    for name in ("reference.py", "solution.py"):
        (folder / name).write_text(reference)
    drawn = [a_case(seed=seed, fresh=True) for seed in range(fresh)]
    return a_job(folder, (a_case(), a_case(), *drawn))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(EXPECTED, min_size=2, max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(0, 9)),
)
def test_the_next_judge_finds_what_was_saved(
    tmp_path: Path, expected: list[Expected], own: dict[str, int]
) -> None:
    """Every output, allowance and reading comes back as it was; a second save changes nothing."""
    fd = reference_cache.create()
    first = ReferenceCache(fd, job(tmp_path))
    for number, each in enumerate(expected):
        first.add(number, first_case(tmp_path), each)
    first.solution_readings = own
    first.save()
    second = ReferenceCache(fd, job(tmp_path))
    assert second.solution_readings == own and second.expected.keys() == {0, 1}
    assert all(same_expected(second.expected[number], each) for number, each in enumerate(expected))
    os.close(fd)


def first_case(folder: Path) -> wire.Case:
    return job(folder).cases[0]


def one_saved(fd: int, folder: Path) -> None:
    """A judge that learned what is right for the first case."""
    judge = ReferenceCache(fd, job(folder, "right = 1"))
    judge.add(0, first_case(folder), Expected((np.ones(2),), (np.asarray(0.1),), ("float32",)))
    judge.save()


def test_a_changed_reference_is_asked_again(fd: int, tmp_path: Path) -> None:
    """An author who edits the reference between two gradings is not shown the old answers."""
    one_saved(fd, tmp_path)
    assert ReferenceCache(fd, job(tmp_path, "right = 1")).expected
    assert not ReferenceCache(fd, job(tmp_path, "right = 2")).expected


def test_fresh_cases_are_never_kept(fd: int, tmp_path: Path) -> None:
    """What comes from the secret seed is of no use to the next grading, and does not change
    what is known."""
    judge = ReferenceCache(fd, job(tmp_path))
    judge.add(2, job(tmp_path).cases[2], Expected((np.ones(2),), (np.asarray(0.1),), ("float32",)))
    judge.save()
    assert os.fstat(fd).st_size == 0
    one_saved(fd, tmp_path)
    assert ReferenceCache(fd, job(tmp_path, "right = 1", fresh=3)).expected.keys() == {0}


def test_half_a_record_is_none(fd: int, tmp_path: Path) -> None:
    """A judge that was killed while it wrote leaves nothing that is believed."""
    one_saved(fd, tmp_path)
    size = os.fstat(fd).st_size
    for length in range(size):
        os.ftruncate(fd, length)
        assert not ReferenceCache(fd, job(tmp_path, "right = 1")).expected


def test_a_second_grading_decides_the_same() -> None:
    """With what the first one kept, a right and a wrong answer get the verdict they had."""
    exercise = LIBRARY.exercise("softmax")
    right = Submission("right.py", exercise.solution.read_bytes())
    wrong = Submission("wrong.py", exercise.solution.read_bytes().replace(b"max", b"min"))
    with Pool() as pool:
        grader = Grader(pool)
        for submission in (right, wrong):
            verdicts = [grader.grade(exercise, submission, seed=4) for _ in range(2)]
            assert verdicts[0].passed == verdicts[1].passed == (submission is right)
            first, second = (verdict.stage("correctness") for verdict in verdicts)
            assert first == second


LOOKS = b"""
import os
import stat

for fd in range(64):
    try:
        kind, place = os.fstat(fd), os.lseek(fd, 0, os.SEEK_CUR)
    except OSError:
        continue
    print("file", stat.S_ISREG(kind.st_mode), kind.st_size)

def softmax(x):
    return x
"""


def test_a_learner_has_no_descriptor_of_it() -> None:
    """After a grading that kept something, the next submission finds no file but the arena."""
    exercise = LIBRARY.exercise("softmax")
    with Pool() as pool:
        grader = Grader(pool)
        grader.grade(exercise, Submission("right.py", exercise.solution.read_bytes()), seed=4)
        verdict = grader.grade(exercise, Submission("looks.py", LOOKS), seed=4)
    files = [line for line in verdict.printed.splitlines() if line.startswith("file True")]
    assert files == [f"file True {arena.ARENA_BYTES}"]
