"""Triton's interpreter computes and moves the same when it repeats less."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")

PROGRAM = """
import hashlib, json, sys
import numpy as np, torch, triton, triton.language as tl
from quizprep.content.library import Library, shipped_root
from quizprep.grading import plan
from quizprep.worker import traffic
from quizprep.worker.backends import backend_for
from quizprep.worker.folder import load_reference, load_solution
from quizprep.worker import interpreter
from quizprep.worker.interpreter import without_repetition
from quizprep.worker.judge import lay_case

if sys.argv[1] == "faster":
    # So few that they are forgotten again and again.
    interpreter.REMEMBERED = 8
    without_repetition()

@triton.jit
def overflow(x, out, BIG: tl.constexpr):
    lane = tl.arange(0, 4)
    tl.store(out + lane, (tl.load(x + lane) + BIG) * 2)

@triton.jit
def mixed(x, out):
    lane = tl.arange(0, 4)
    a = tl.load(x + lane)
    b = a.to(tl.float16) / 3 + (a > 2) - lane % 3 + a.to(tl.int8) * a.to(tl.int8)
    table = a[:, None] * lane[None, :] + tl.full((4, 1), 2, tl.int32)
    tl.store(out + lane, tl.sum(table, 1) // 2 + b + tl.where(lane < 2, 1.5, a))

found = {}
x, out = torch.tensor([1, 2, 3, 4], dtype=torch.int32), torch.zeros(4)
for name, big in (("fits", 1 << 20), ("sum", (1 << 31) - 2), ("product", 1 << 30)):
    try:
        overflow[(1,)](x, out, BIG=big)
        found[name] = out.tolist()
    except Exception as error:
        found[name] = str(error)[-200:]
mixed[(1,)](x, out)
found["mixed"] = out.tolist()
for shape in ([4, 2], [tl.constexpr(4), 2], (8,), [16], [32], [64], [3], [], [2.0]):
    try:
        made = tl.block_type(tl.float32, shape)
        found[str(shape)] = [str(made), str(made.shape), str(made.numel)]
    except Exception as error:
        found[str(shape)] = repr(error)
backend = backend_for("triton")
for exercise in Library(shipped_root()).exercises:
    if exercise.spec.runtime != "triton":
        continue
    reference = load_reference(str(exercise.folder))
    solve = load_solution(str(exercise.solution), (exercise.spec.entry,))[exercise.spec.entry]
    for number, case in enumerate(plan.fixed_cases(exercise.id, exercise.spec)[:8]):
        args = lay_case(reference, case, backend).views(backend)
        with traffic.counting() as counted:
            result = solve(*args)
        places = result if isinstance(result, tuple | list) else (result,)
        data = b"".join(backend.exact(place).tobytes() for place in places)
        found[f"{exercise.id} {number}"] = [hashlib.sha256(data).hexdigest(), counted.readings()]
print(json.dumps(found))
"""


def found(way: str, path: Path) -> dict[str, object]:
    """What kernels computed and moved, by kernel."""
    program = path / "program.py"
    program.write_text(PROGRAM)
    run = subprocess.run(
        [sys.executable, program, way],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, object] = json.loads(run.stdout)
    return result


def test_the_same_bits_and_the_same_bytes(tmp_path: Path) -> None:
    """Results of every Triton solution, casts, broadcasts, promotions, integers that overflow,
    types and those that are refused, the traffic and arithmetic that are counted: all as without
    the changes."""
    plain, faster = found("plain", tmp_path), found("faster", tmp_path)
    assert plain == faster
    assert len(plain) > 40
    assert plain["fits"] == [2 * (value + (1 << 20)) for value in (1, 2, 3, 4)]
