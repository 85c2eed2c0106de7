"""A cache that the judge of one grading leaves to the next judge of the same exercise.

The expected outputs of the fixed cases and the solution's own readings are the same every time,
and computing them takes as long as judging. They are stored in a memfd that only judges read and
write. The nursery holds its descriptor and never reads it: a learner, being forked from the
nursery, would have in memory whatever the nursery had read. The learner itself closes the
descriptor before it does anything else.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import numpy as np

from quizprep.grading import wire
from quizprep.worker.judge.comparison import Expected


class _Array(msgspec.Struct, array_like=True):
    """A float64 array."""

    shape: tuple[int, ...]
    data: bytes


class _Expected(msgspec.Struct, array_like=True):
    """An `Expected`, serialised."""

    values: list[_Array]
    allowed: list[_Array]
    dtypes: tuple[str, ...]
    names: tuple[str, ...]


class _Record(msgspec.Struct, array_like=True):
    """Everything cached for an exercise, with a digest of its sources."""

    key: bytes
    expected: dict[int, _Expected]
    solution_readings: dict[str, int]
    solution_time: int


def create() -> int:
    """A memfd for one exercise, which judges inherit from the nursery."""
    return os.memfd_create("quizprep-kept", os.MFD_CLOEXEC)


class ReferenceCache:
    """The cached results, to which the current grading adds its own.

    expected           by the number of a fixed case, its expected outputs
    solution_readings  at the largest point; empty if unknown
    solution_time      nanoseconds of CPU time that the solution takes for the watched call; 0 if
                       unknown
    """

    def __init__(self, fd: int, job: wire.Job) -> None:
        self._fd = fd
        self._key = _key(job)
        self.expected: dict[int, Expected] = {}
        self.solution_readings: dict[str, int] = {}
        self.solution_time = 0
        record = _read(fd)
        if record is not None and record.key == self._key:
            self.expected = {number: _from_record(each) for number, each in record.expected.items()}
            self.solution_readings, self.solution_time = (
                record.solution_readings,
                record.solution_time,
            )
        self._loaded = self._known()

    def add(self, number: int, case: wire.Case, expected: Expected) -> None:
        """Cache the expected outputs of a case, unless the case is fresh and never recurs."""
        if not case.fresh:
            self.expected[number] = expected

    def _known(self) -> tuple[int, bool, bool]:
        return len(self.expected), bool(self.solution_readings), bool(self.solution_time)

    def save(self) -> None:
        """Write the cache if anything was added."""
        if self._known() == self._loaded:
            return
        written = {number: _to_record(each) for number, each in self.expected.items()}
        data = msgspec.msgpack.encode(
            _Record(self._key, written, self.solution_readings, self.solution_time)
        )
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)


def _read(fd: int) -> _Record | None:
    """The record of an earlier judge; None if there is none or it is incomplete."""
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    try:
        return msgspec.msgpack.decode(data, type=_Record)
    except msgspec.DecodeError:
        return None


def _key(job: wire.Job) -> bytes:
    """A digest of everything that the cached results depend on."""
    fixed = [case for case in job.cases if not case.fresh]
    points = (*job.points, *([job.witness] if job.witness else []))
    parts = (
        (Path(job.folder) / "reference.py").read_bytes(),
        Path(job.solution).read_bytes(),
        msgspec.msgpack.encode([job.spec, job.device]),
        msgspec.msgpack.encode([fixed, [point.params for point in points]]),
    )
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _from_record(written: _Expected) -> Expected:
    return Expected(
        values=tuple(_array(value) for value in written.values),
        allowed=tuple(_array(value) for value in written.allowed),
        dtypes=written.dtypes,
        names=written.names,
    )


def _array(written: _Array) -> np.ndarray:
    return np.frombuffer(written.data, dtype=np.float64).reshape(written.shape)


def _to_record(expected: Expected) -> _Expected:
    return _Expected(
        values=[_bytes(value) for value in expected.values],
        allowed=[_bytes(np.asarray(value)) for value in expected.allowed],
        dtypes=expected.dtypes,
        names=expected.names,
    )


def _bytes(value: np.ndarray) -> _Array:
    return _Array(value.shape, np.ascontiguousarray(value, dtype=np.float64).tobytes())
