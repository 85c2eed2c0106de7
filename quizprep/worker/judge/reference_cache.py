"""What the judge of one grading leaves to that of the next one of the same exercise.

The right outputs of the fixed cases and the solution's own readings are the same every time,
and computing them takes as long as judging. They lie in a memfd that only judges read and
write. The nursery holds its descriptor and never looks inside: a learner is forked from the
nursery and would have in memory whatever passed through there. The learner itself closes the
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


class _Right(msgspec.Struct, array_like=True):
    """An Expected, as it is written down."""

    values: list[_Array]
    allowed: list[_Array]
    dtypes: tuple[str, ...]
    names: tuple[str, ...]


class _Record(msgspec.Struct, array_like=True):
    """All that is kept of an exercise, and what it was made from."""

    key: bytes
    expected: dict[int, _Right]
    own: dict[str, int]
    worked: int


def create() -> int:
    """A memfd for one exercise; the nursery inherits it to judges."""
    return os.memfd_create("quizprep-kept", os.MFD_CLOEXEC)


class ReferenceCache:
    """What is known from before, and what becomes known now.

    expected  by the number of a fixed case, what is right
    own       the solution's readings at the largest point; empty while they are unknown
    worked    nanoseconds of processor time that the solution takes for the watched call, or 0
    """

    def __init__(self, fd: int, job: wire.Job) -> None:
        self._fd = fd
        self._key = _key(job)
        self.expected: dict[int, Expected] = {}
        self.own: dict[str, int] = {}
        self.worked = 0
        record = _read(fd)
        if record is not None and record.key == self._key:
            self.expected = {number: _right(each) for number, each in record.expected.items()}
            self.own, self.worked = record.own, record.worked
        self._before = self._known()

    def add(self, number: int, case: wire.Case, expected: Expected) -> None:
        """Remember what is right for a case, unless it is one that does not come again."""
        if not case.fresh:
            self.expected[number] = expected

    def _known(self) -> tuple[int, bool, bool]:
        return len(self.expected), bool(self.own), bool(self.worked)

    def save(self) -> None:
        """Write down what the next judge can use, where that is more than was known."""
        if self._known() == self._before:
            return
        written = {number: _written(each) for number, each in self.expected.items()}
        data = msgspec.msgpack.encode(_Record(self._key, written, self.own, self.worked))
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)


def _read(fd: int) -> _Record | None:
    """What an earlier judge wrote; None where there is nothing, or half of it."""
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    try:
        return msgspec.msgpack.decode(data, type=_Record)
    except msgspec.DecodeError:
        return None


def _key(job: wire.Job) -> bytes:
    """A digest of everything that what is kept depends on."""
    fixed = [case for case in job.cases if not case.fresh]
    points = (*job.points, *([job.witness] if job.witness else []))
    parts = (
        (Path(job.folder) / "reference.py").read_bytes(),
        Path(job.solution).read_bytes(),
        msgspec.msgpack.encode([job.spec, job.device]),
        msgspec.msgpack.encode([fixed, [point.params for point in points]]),
    )
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _right(written: _Right) -> Expected:
    return Expected(
        values=tuple(_array(value) for value in written.values),
        allowed=tuple(_array(value) for value in written.allowed),
        dtypes=written.dtypes,
        names=written.names,
    )


def _array(written: _Array) -> np.ndarray:
    return np.frombuffer(written.data, dtype=np.float64).reshape(written.shape)


def _written(expected: Expected) -> _Right:
    return _Right(
        values=[_bytes(value) for value in expected.values],
        allowed=[_bytes(np.asarray(value)) for value in expected.allowed],
        dtypes=expected.dtypes,
        names=expected.names,
    )


def _bytes(value: np.ndarray) -> _Array:
    return _Array(value.shape, np.ascontiguousarray(value, dtype=np.float64).tobytes())
