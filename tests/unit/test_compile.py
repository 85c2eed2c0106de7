"""A kernel that passes in the interpreter compiles for a GPU too, or is told why not."""

from __future__ import annotations

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.verdict import Verdict
from quizprep.worker.compiler.server import occupancy
from quizprep.worker.judge.compile_stage import MOST, covering
from quizprep.worker.protocol import Launch, Value

SOFTMAX = Library(shipped_root()).exercise("triton_softmax")
SOLUTION = SOFTMAX.solution.read_text("utf-8")
IMPORT = "import triton.language as tl\n"
KERNEL = "@triton.jit\ndef softmax_row"
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
    ),
    "a default": (
        ("BLOCK: tl.constexpr)", "BLOCK: tl.constexpr, EPS: tl.constexpr = 0.0)"),
        (TOP, f"{TOP} + EPS"),
    ),
    "a dtype from outside": (
        (IMPORT, f"{IMPORT}\nFLOAT = tl.float32\n"),
        ("scores.to(tl.float32)", "scores.to(FLOAT)"),
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
    assert all(kernel.occupancy == 1 and not kernel.tensor_cores for kernel in kernels)


def test_what_was_compiled_once_is_not_compiled_again(grader: Grader) -> None:
    """The same kernel in another place of another file is told with its own line."""
    edits = REFUSED["break"][0]
    first = graded(grader, edited(*edits)).stage("compile").raised
    below = graded(grader, "# A comment.\n" + edited(*edits)).stage("compile").raised
    assert first is not None and below is not None
    assert below.frames[-1].line == first.frames[-1].line + 1


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
