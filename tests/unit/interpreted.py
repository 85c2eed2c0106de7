"""What Triton's interpreter makes of operations, kernels and types, as JSON on standard output.

Run with `plain`, or with `faster` for the interpreter as a learner's process has it.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import triton
import triton.language as tl
from triton.runtime.interpreter import TensorHandle, _get_np_dtype, interpreter_semantic

from quizprep.content.library import Library, shipped_root
from quizprep.grading import plan
from quizprep.worker.backends import backend_for
from quizprep.worker.judge.exercise_files import load_reference, load_solution
from quizprep.worker.judge.preparation import case_inputs
from quizprep.worker.learner import interpreter, triton_meters

DTYPES = (
    tl.int1,
    tl.int8,
    tl.int32,
    tl.uint32,
    tl.int64,
    tl.float16,
    tl.bfloat16,
    tl.float32,
    tl.float64,
    tl.pointer_type(tl.float32),
)
SHAPES = ((), (4,), (2, 1))
"""Of every type; some more of int32."""
MORE_SHAPES = ((1, 4), (2, 4), (1,), (1, 2, 1), (8,))
PLAIN = (0, 3, -1, 1 << 40, 0.5, True, tl.constexpr(2))
ALL = tl.PropagateNan.ALL


def fingerprint(data: bytes) -> str:
    """A few letters that differ where the bytes do."""
    return hashlib.sha256(data).hexdigest()[:12]


def value(dtype: Any, shape: tuple[int, ...]) -> Any:
    """1, 2, 3 and so on, of a type and shape: a scalar, a block or pointers."""
    numbers = np.arange(1, 1 + int(np.prod(shape))).reshape(shape or (1,))
    if dtype.is_ptr():
        data = 4096 + 4 * numbers.astype(np.uint64)
    elif dtype is tl.bfloat16:
        data = (numbers.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    else:
        data = numbers.astype(_get_np_dtype(dtype))
    return tl.tensor(
        TensorHandle(data, dtype), tl.block_type(dtype, list(shape)) if shape else dtype
    )


def operations() -> Iterator[tuple[str, list[Any]]]:
    """Every operation on every pair of operands: type and data of the result, or what it says."""
    say = interpreter_semantic
    named = {
        "add": lambda a, b: say.add(a, b, True),
        "sub": lambda a, b: say.sub(a, b, True),
        "mul": lambda a, b: say.mul(a, b, True),
        "truediv": say.truediv,
        "floordiv": say.floordiv,
        "mod": say.mod,
        "fdiv": lambda a, b: say.fdiv(a, b, True),
        "minimum": lambda a, b: say.minimum(a, b, ALL),
        "maximum": lambda a, b: say.maximum(a, b, ALL),
        "and": say.and_,
        "xor": say.xor_,
        "shl": say.shl,
        "less": say.less_than,
        "equal": say.equal,
        "where a block": lambda a, b: say.where(value(tl.int1, (2, 4)), a, b),
        "where": lambda a, b: say.where(value(tl.int1, ()), a, b),
        "clamp": lambda a, b: say.clamp(a, b, 3, ALL),
    }
    operands = {str(plain): plain for plain in PLAIN}
    operands |= {f"{dtype}{shape}": value(dtype, shape) for dtype in DTYPES for shape in SHAPES}
    operands |= {f"int32{shape}": value(tl.int32, shape) for shape in MORE_SHAPES}
    for name, operation in named.items():
        for left, lhs in operands.items():
            for right, rhs in operands.items():
                try:
                    result = operation(lhs, rhs)
                    data = result.handle.data
                    told = [str(result.type), str(result.handle.dtype), str(data.dtype)]
                    told += [str(data.shape), fingerprint(data.tobytes())]
                except Exception as error:
                    told = [type(error).__name__, str(error)]
                yield f"{left} {name} {right}", told


def note_operations() -> None:
    """Called inside a launch, for outside the language is another one."""
    FOUND.update(operations())


@triton.jit
def operate(x):
    note_operations()


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


def kernels() -> Iterator[tuple[str, Any]]:
    """What two small kernels store, and whether integers that overflow are refused."""
    x, out = torch.tensor([1, 2, 3, 4], dtype=torch.int32), torch.zeros(4)
    for name, big in (("fits", 1 << 20), ("sum", (1 << 31) - 2), ("product", 1 << 30)):
        try:
            overflow[(1,)](x, out, BIG=big)
            yield name, out.tolist()
        except Exception as error:
            yield name, str(error)[-200:]
    mixed[(1,)](x, out)
    yield "mixed", out.tolist()
    operate[(1,)](x)


def types() -> Iterator[tuple[str, Any]]:
    """Types of blocks, and why some lengths are refused."""
    for shape in ([4, 2], [tl.constexpr(4), 2], (8,), [16], [32], [64], [3], [], [2.0]):
        try:
            made = tl.block_type(tl.float32, shape)
            yield str(shape), [str(made), str(made.shape), str(made.numel)]
        except Exception as error:
            yield str(shape), repr(error)


def values() -> Iterator[tuple[str, Any]]:
    """Data that a type has room for, and data that it has not."""
    for dtype in DTYPES:
        for data in (np.int8, np.int32, np.float64):
            try:
                handle = TensorHandle(np.ones(2, data), dtype)
                yield f"{dtype} of {data}", [str(handle.data), str(handle.dtype), handle.attr]
            except ValueError as error:
                yield f"{dtype} of {data}", str(error)


def solutions() -> Iterator[tuple[str, Any]]:
    """Results of the Triton solutions on some of their cases, and what was counted meanwhile."""
    backend = backend_for("triton")
    for exercise in Library(shipped_root()).exercises:
        if exercise.spec.runtime != "triton":
            continue
        entry = exercise.spec.entry
        reference = load_reference(str(exercise.folder))
        solve = load_solution(str(exercise.solution), (entry,))[entry]
        for number, case in enumerate(plan.fixed_cases(exercise.id, exercise.spec)[:8]):
            args = case_inputs(reference, case, backend).args
            with triton_meters.counting() as counted:
                result = solve(*args)
            places = result if isinstance(result, tuple | list) else (result,)
            data = b"".join(backend.exact(place).tobytes() for place in places)
            yield f"{exercise.id} {number}", [fingerprint(data), counted.readings()]


FOUND: dict[str, Any] = {}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if sys.argv[1] == "faster":
        # So few that they are forgotten again and again.
        interpreter.MAX_TYPES = 8
        interpreter.speed_up()
    for findings in (kernels(), types(), values(), solutions()):
        FOUND.update(findings)
    print(json.dumps(FOUND))
