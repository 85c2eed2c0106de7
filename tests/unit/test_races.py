"""Races between the programs of a kernel are told; what a GPU forgives is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.worker.learner.races import RaceDetector

RACES = Path(__file__).parent.parent / "hostile" / "submissions" / "triton" / "races_over_splits.py"
MATMUL = Library(shipped_root()).exercise("triton_matmul")


def test_a_race_is_named_with_its_line_and_element(grader: Grader) -> None:
    """Several programs add to one tile: right in the interpreter, and told all the same."""
    source = RACES.read_bytes()
    verdict = grader.grade(MATMUL, Submission("races.py", source), seed=3)
    assert [mistake.id for mistake in verdict.mistakes] == ["data_race"]
    cause = next(c for c in verdict.stage("diagnosis").causes if c.symptom == "race")
    assert "before = tl.load" in source.decode().splitlines()[cause.line - 1]
    assert "access c[0, 0]" in cause.shown.message


def test_atomics_are_no_race(grader: Grader) -> None:
    """The same sums by atomics are right on a GPU too."""
    text = RACES.read_text("utf-8")
    text = text.replace("    before = tl.load(at, mask=inside, other=0.0)\n", "")
    text = text.replace("tl.store(at, before + tl.dot(", "tl.atomic_add(at, tl.dot(")
    verdict = grader.grade(MATMUL, Submission("atomics.py", text.encode()), seed=3)
    assert verdict.stage("correctness").status == "pass"


ACCESS = st.tuples(st.integers(0, 3), st.integers(0, 7), st.booleans(), st.booleans())


@given(st.lists(ACCESS, max_size=30))
def test_a_race_is_two_programs_at_one_address(accesses: list[tuple[int, int, bool, bool]]) -> None:
    """It is told exactly if two programs meet at an element and one of them stores; atomics among
    themselves, and reads among themselves, are none."""
    tensor = torch.zeros(8)
    found = RaceDetector()
    found.begin([("x", tensor)])
    done: list[tuple[int, int, bool, bool]] = []
    expected = False
    for program, place, writes, atomic in accesses:
        atomic = atomic and writes
        for other, at, stored, was_atomic in done:
            if at == place and other != program:
                plain = (writes and not atomic) or (stored and not was_atomic)
                # An atomic after or before a plain read waits for nobody: not told.
                expected |= plain and not (was_atomic or (atomic and not stored))
        done.append((program, place, writes, atomic))
        address = np.array([tensor.data_ptr() + 4 * place])
        found.access(address, program, writes, atomic, lambda: 7)
        if found.first is not None:
            assert expected
            assert (found.first.index, found.first.line) == ((place,), 7)
            return
    assert not expected
