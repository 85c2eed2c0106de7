"""A kernel that passes in the interpreter compiles for a GPU too, or is told why not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.report import lines
from quizprep.grading.verdict import Verdict
from quizprep.worker.compiler.server import occupancy
from quizprep.worker.judge.compile_stage import MOST, covering
from quizprep.worker.learner.gpu_semantics import tf32
from quizprep.worker.protocol import Launch, Value

LIBRARY = Library(shipped_root())
SOFTMAX = LIBRARY.exercise("triton_softmax")
MATMUL = LIBRARY.exercise("triton_matmul")
SOLUTION = SOFTMAX.solution.read_text("utf-8")
IMPORT = "import triton.language as tl\n"
KERNEL = "@triton.jit\ndef softmax_row"
MASKED = 'tl.load(x + row * x_row + lane * x_col, mask=inside, other=-float("inf"))'
INSIDE = "    inside = lane < cols\n"
TOP = "tl.max(scores, axis=0)"

Edits = tuple[tuple[str, str], ...]


def edited(*edits: tuple[str, str]) -> str:
    text = SOLUTION
    for before, after in edits:
        assert before in text
        text = text.replace(before, after)
    return text


def graded(grader: Grader, text: str) -> Verdict:
    return grader.grade(SOFTMAX, Submission("triton_softmax.py", text.encode()), seed=1)


REFUSED: dict[str, tuple[Edits, str, str]] = {
    "a global number": (
        ((IMPORT, f"{IMPORT}\nEPS = 0.0\n"), (TOP, f"{TOP} + EPS")),
        "+ EPS",
        "EPS is defined outside the kernel",
    ),
    "a global that is only annotated": (
        ((IMPORT, f"{IMPORT}\nEPS: tl.constexpr = 0.0\n"), (TOP, f"{TOP} + EPS")),
        "+ EPS",
        "EPS is defined outside the kernel",
    ),
    "a function without jit": (
        (
            (KERNEL, f"def peak(s):\n    return tl.max(s, axis=0)\n\n\n{KERNEL}"),
            (TOP, "peak(scores)"),
        ),
        "peak(scores)",
        "peak is defined outside the kernel",
    ),
    "a list": (
        ((INSIDE, "    parts = []\n    parts.append(lane)\n    inside = parts[0] < cols\n"),),
        "parts.append(lane)",
        "append",
    ),
    "an f-string": ((("    inside", '    name = f"{lane}"\n    inside'),), "name = f", ""),
    "try": (
        ((INSIDE, f"    try:\n    {INSIDE}    except ValueError:\n        inside = lane < 1\n"),),
        "try:",
        "Try",
    ),
    "break": (
        ((INSIDE, f"    for _ in range(2):\n    {INSIDE}        break\n"),),
        "break",
        "Break",
    ),
    "a name that only one branch defines": (
        ((INSIDE, f"{INSIDE}    if cols > 0:\n        extra = 0.0\n"), (TOP, f"{TOP} + extra")),
        "+ extra",
        "extra",
    ),
    "a variable of another type in a loop": (
        (
            (INSIDE, f"{INSIDE}    s = 0\n    for _ in range(cols):\n        s = s + 0.5\n"),
            (TOP, f"{TOP} + s * 0"),
        ),
        "for _ in range(cols)",
        "type",
    ),
    "an error in a function that the kernel calls": (
        (
            (
                KERNEL,
                "@triton.jit\ndef peak(s):\n    parts = [s]\n    parts.append(s)\n"
                f"    return tl.max(s, axis=0)\n\n\n{KERNEL}",
            ),
            (TOP, "peak(scores)"),
        ),
        "parts.append(s)",
        "append",
    ),
}

TAKEN: dict[str, Edits] = {
    "a global constexpr": (
        (IMPORT, f"{IMPORT}\nEPS = tl.constexpr(0.0)\n"),
        (TOP, f"{TOP} + EPS"),
    ),
    "a number of numpy's": (
        ("import torch\n", "import numpy as np\nimport torch\n"),
        ('-float("inf")', "-np.inf"),
    ),
    "a jitted helper": (
        (
            KERNEL,
            f"@triton.jit\ndef peak(s):\n    return {TOP.replace('scores', 's')}\n\n\n{KERNEL}",
        ),
        ("scores - tl.max(scores, axis=0)", "scores - peak(scores)"),
    ),
    "autotuning": (
        (
            KERNEL,
            '@triton.autotune([triton.Config({}, num_warps=8)], key=["cols"])\n' + KERNEL,
        ),
        (", num_warps=warps", ""),
    ),
    "a default": (
        ("BLOCK: tl.constexpr)", "BLOCK: tl.constexpr, EPS: tl.constexpr = 0.0)"),
        (TOP, f"{TOP} + EPS"),
    ),
    "a dtype from outside": (
        (IMPORT, f"{IMPORT}\nFLOAT = tl.float32\n"),
        ("scores.to(tl.float32)", "scores.to(FLOAT)"),
    ),
    "a function of Triton's, imported by itself": (
        (IMPORT, f"{IMPORT}from triton.language import exp\n"),
        ("tl.exp(", "exp("),
    ),
    "a function of constants": (
        (
            KERNEL,
            f"@triton.constexpr_function\ndef zero(n):\n    return 0.0 * n\n\n\n{KERNEL}",
        ),
        (TOP, f"{TOP} + zero(BLOCK)"),
    ),
    "printing": ((INSIDE, f'{INSIDE}    tl.device_print("lane", lane)\n'),),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_only_the_interpreter_takes_does_not_pass(grader: Grader, what: str) -> None:
    """The cases pass, the compiler refuses, and the line is the learner's own."""
    edits, line, message = REFUSED[what]
    text = edited(*edits)
    verdict = graded(grader, text)
    assert verdict.stage("correctness").status == "pass"
    assert not verdict.passed
    stage = verdict.stage("compile")
    assert stage.status == "fail" and stage.raised is not None
    assert message in stage.raised.message
    frame = stage.raised.frames[-1]
    assert line in text.splitlines()[frame.line - 1] and line in frame.text


@pytest.mark.parametrize("what", TAKEN)
def test_what_a_gpu_takes_passes(grader: Grader, what: str) -> None:
    verdict = graded(grader, edited(*TAKEN[what]))
    assert verdict.passed and verdict.stage("compile").status == "pass"


def test_an_error_is_shown_beside_wrong_values(grader: Grader) -> None:
    """A kernel that is wrong and does not compile either is told both."""
    edits = REFUSED["break"][0]
    verdict = graded(grader, edited(*edits, (f"scores - {TOP}", "scores")))
    assert verdict.stage("correctness").status == verdict.stage("compile").status == "fail"


def test_machine_code_says_what_it_takes_of_the_gpu(pool: object) -> None:
    """Registers, spills and occupancy are the assembler's own figures."""
    grader = Grader(pool, assemble=True)  # type: ignore[arg-type]
    kernels = graded(grader, SOLUTION).stage("compile").kernels
    assert kernels and all(kernel.name == "softmax_row" for kernel in kernels)
    assert all(kernel.registers > 0 and kernel.spilled == 0 for kernel in kernels)
    assert all(0 < k.occupancy <= 1 and not k.tensor_cores for k in kernels)


def test_what_was_compiled_once_is_not_compiled_again(grader: Grader) -> None:
    """The same kernel in another place of another file is told with its own line."""
    edits = REFUSED["break"][0]
    first = graded(grader, edited(*edits)).stage("compile").raised
    below = graded(grader, "# A comment.\n" + edited(*edits)).stage("compile").raised
    assert first is not None and below is not None
    assert below.frames[-1].line == first.frames[-1].line + 1


@pytest.mark.parametrize("name", [n for n in LIBRARY.exercise_ids if n.startswith("triton_")])
def test_no_offset_of_a_solution_is_computed_in_32_bits(grader: Grader, name: str) -> None:
    """The compiler's own intermediate code has no 32-bit product in any offset."""
    exercise = LIBRARY.exercise(name)
    submission = Submission(f"{name}.py", exercise.solution.read_bytes())
    stage = grader.grade(exercise, submission, seed=1).stage("compile")
    assert (stage.status, stage.notes) == ("pass", ())


def test_an_offset_of_32_bits_is_told_with_its_line(grader: Grader) -> None:
    """It passes all the same: no tensor that fits into a test shows it."""
    text = edited(("tl.program_id(0).to(tl.int64)", "tl.program_id(0)"))
    verdict = graded(grader, text)
    assert verdict.passed
    (note,) = verdict.stage("compile").notes
    (line,) = {n for n, t in enumerate(text.splitlines(), 1) if "tl.load(x + row * x_row" in t}
    assert f"line {line}" in note or f"lines {line}," in note


@pytest.mark.parametrize(
    ("load", "advice"),
    [
        (
            "tl.load(tl.make_block_ptr(x, (1, cols), (1, 1), (0, 0), (1, BLOCK), (1, 0)))",
            "make_tensor_d",
        ),
        ("tl.load(tl.advance(x, (0, 1)))", "make_tensor_descriptor"),
        ('tl.inline_asm_elementwise("", "=r,r", [lane], tl.int32, True, 1)', "assembly cannot run"),
        ("libdevice.exp(lane)", "in Triton's interpreter use tl"),
    ],
)
def test_what_cannot_run_here_says_what_to_write_instead(
    grader: Grader, load: str, advice: str
) -> None:
    """Block pointers, which most tutorials have, and code for a GPU alone."""
    text = edited(
        (IMPORT, f"{IMPORT}from triton.language.extra import libdevice\n"), (MASKED, load)
    )
    assert advice in "\n".join(line.text for line in lines(graded(grader, text)))


def launch(dtype: str, **constants: int | bool) -> Launch:
    values = {name: Value(kind="plain", value=value) for name, value in constants.items()}
    types = {"x": f"*{dtype}"} | dict.fromkeys(values, "constexpr")
    return Launch(kernel=1, types=types, constants=values)


def test_the_launches_that_are_compiled_cover_dtypes_flags_and_extreme_sizes() -> None:
    launches = [
        launch(dtype, CAUSAL=causal, BLOCK=block)
        for dtype in ("fp32", "fp16")
        for causal in (False, True)
        for block in (16, 32, 64, 128)
    ]
    chosen = covering(launches)
    assert len(chosen) <= MOST
    assert {each.types["x"] for each in chosen} == {"*fp32", "*fp16"}
    assert {each.constants["CAUSAL"].value for each in chosen} == {False, True}
    assert {16, 128} <= {each.constants["BLOCK"].value for each in chosen}
    assert covering([]) == []


def test_occupancy_is_what_the_scarcest_resource_leaves() -> None:
    """64 warps fit; 128 registers a thread leave 16, and 100 KiB for each program two programs."""
    assert occupancy(90, registers=32, warps=4, shared=0) == 1
    assert occupancy(90, registers=128, warps=4, shared=0) == 16 / 64
    assert occupancy(90, registers=32, warps=4, shared=100 << 10) == 2 * 4 / 64


def test_masked_lanes_that_are_used_need_a_value(grader: Grader) -> None:
    """They are zeros in the interpreter and anything on a GPU: told if it matters, and only
    then."""
    product = MATMUL.solution.read_text("utf-8")
    without = product.replace("mask=a_inside, other=0.0", "mask=a_inside")
    verdict = grader.grade(MATMUL, Submission("m.py", without.encode()), seed=1)
    assert [mistake.id for mistake in verdict.mistakes] == ["masked_lanes_undefined"]
    (cause,) = verdict.stage("diagnosis").causes
    assert "mask=a_inside" in without.splitlines()[cause.line - 1]
    unused = edited(
        (MASKED, MASKED.replace(', other=-float("inf")', "")),
        ("scores = scores.to", 'scores = tl.where(inside, scores, -float("inf")).to'),
    )
    assert graded(grader, unused).passed


def test_a_product_in_tf32_is_told(grader: Grader) -> None:
    """tl.dot rounds float32 tiles on a GPU unless it is told not to, in either way."""
    product = MATMUL.solution.read_text("utf-8")
    rounded = product.replace(', input_precision="ieee"', "")
    verdict = grader.grade(MATMUL, Submission("m.py", rounded.encode()), seed=1)
    assert [mistake.id for mistake in verdict.mistakes] == ["tf32_by_default"]
    exact = product.replace('input_precision="ieee"', "allow_tf32=False")
    assert grader.grade(MATMUL, Submission("m.py", exact.encode()), seed=1).passed


ORDERED = b"""
import torch
import triton
import triton.language as tl

@triton.jit
def kernel(x, y, cols, x_row, x_col, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    lane = tl.arange(0, BLOCK)
    inside = lane < cols
    s = tl.load(x + row * x_row + lane * x_col, mask=inside, other=-float("inf")).to(tl.float32)
    e = tl.exp(s - tl.max(s, axis=0))
    # Every program counts itself, and takes its row from the number that it finds.
    at = tl.atomic_add(y + tl.num_programs(0) * cols, 1.0).to(tl.int32)
    tl.store(y + at * cols + lane, e / tl.sum(e, axis=0), mask=inside)

def softmax(x):
    rows, cols = x.shape
    y = torch.zeros(rows * cols + 1, dtype=torch.float32)
    kernel[(rows,)](x, y, cols, *x.stride(), BLOCK=triton.next_power_of_2(cols))
    return y[:-1].view(rows, cols).to(x.dtype)
"""


def test_an_order_of_programs_is_told(grader: Grader) -> None:
    """Right if the first program comes first, without a race that two addresses would show."""
    verdict = grader.grade(SOFTMAX, Submission("s.py", ORDERED), seed=1)
    assert [mistake.id for mistake in verdict.mistakes] == ["order_of_programs"]
    assert verdict.stage("correctness").status == "fail"


@given(st.floats(width=32))
def test_tf32_keeps_ten_bits(value: float) -> None:
    """The rounded value is the nearest of those with ten bits of fraction."""
    number = np.float32(value)
    (found,) = tf32(np.array([number]))
    if not np.isfinite(number):
        assert found == number or np.isnan(number) == np.isnan(found)
        return
    fraction, exponent = np.frexp(np.float64(number))
    step = np.ldexp(1.0, max(int(exponent), -125) - 11)
    assert np.float64(found) == np.float64(number / step).round() * step or np.isinf(found)
    assert abs(fraction) < 1
