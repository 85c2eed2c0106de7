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
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from quizprep.grading import wire
from quizprep.worker.judge.comparison import Expected


class _Record(msgspec.Struct, array_like=True):
    """Everything cached for an exercise, with a digest of its sources."""

    key: bytes
    expected: dict[int, Expected]
    solution_readings: dict[str, int]
    solution_time: int


def create() -> int:
    """A memfd for one exercise, which judges inherit from the nursery."""
    return os.memfd_create("quizprep-references", os.MFD_CLOEXEC)


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
        found = _read(fd)
        if found is not None and found.key == self._key:
            self.expected = found.expected
            self.solution_readings = found.solution_readings
            self.solution_time = found.solution_time
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
        record = _Record(self._key, self.expected, self.solution_readings, self.solution_time)
        data = msgspec.msgpack.encode(record, enc_hook=_to_data)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)


def _read(fd: int) -> _Record | None:
    """The record of an earlier judge; None if there is none or it is incomplete."""
    data = os.pread(fd, os.fstat(fd).st_size, 0)
    try:
        return msgspec.msgpack.decode(data, type=_Record, dec_hook=_from_data)
    except msgspec.DecodeError:
        return None


def _key(job: wire.Job) -> bytes:
    """A digest of everything that the cached results depend on."""
    fixed = [(place, case) for place, case in enumerate(job.cases) if not case.fresh]
    points = (*job.points, *([job.witness] if job.witness else []))
    parts = (
        (Path(job.folder) / "reference.py").read_bytes(),
        Path(job.solution).read_bytes(),
        msgspec.msgpack.encode([job.spec, job.device]),
        msgspec.msgpack.encode([fixed, [point.params for point in points]]),
    )
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _to_data(value: object) -> tuple[tuple[int, ...], bytes]:
    """How msgspec writes a float64 array (``enc_hook``)."""
    assert isinstance(value, np.ndarray)
    return value.shape, np.ascontiguousarray(value, dtype=np.float64).tobytes()


def _from_data(kind: type, data: tuple[Sequence[int], bytes]) -> np.ndarray:
    """How msgspec reads a float64 array (``dec_hook``)."""
    assert kind is np.ndarray
    shape, values = data
    return np.frombuffer(values, dtype=np.float64).reshape(shape)
