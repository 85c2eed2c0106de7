"""What the machine code of the solutions' kernels takes of a GPU, as a section of the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quizprep.content.exercises import Runtime
from quizprep.content.library import Exercise, Library
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import CompiledKernel

HEADING = """\
## Machine code of the kernels

What NVIDIA's assembler says about the solutions, compiled by Triton for the launches that each
exercise lists, without a GPU (`quizprep grade EXERCISE FILE --compile`). Registers and spilled
bytes are those of a thread, shared memory that of a program; occupancy is the share of a
multiprocessor's warps that fit at once. Made by `quizprep check --banks --kernels --evidence
docs/evidence.md`.
"""


def solution_kernels(library: Library, pool: Pool) -> Iterator[tuple[str, CompiledKernel]]:
    """Every kernel of every solution, with the name of its exercise."""
    grader = Grader(pool, search=0, assemble=True)
    for name in library.exercise_ids:
        exercise = library.exercise(name)
        if exercise.spec.runtime is Runtime.TRITON:
            yield from ((name, kernel) for kernel in kernels_of(exercise, grader))


def kernels_of(exercise: Exercise, grader: Grader) -> tuple[CompiledKernel, ...]:
    """The kernels of an exercise's solution."""
    submission = Submission(f"{exercise.id}.py", exercise.solution.read_bytes())
    return grader.grade(exercise, submission, seed=1).stage("compile").kernels


def kernels_text(found: Iterable[tuple[str, CompiledKernel]]) -> str:
    """The section, as Markdown."""
    lines = [
        HEADING,
        "| exercise | kernel | launch | target | warps | registers | spilled | shared "
        "| tensor cores | occupancy |",
        "|---|---|---|---|--:|--:|--:|--:|---|--:|",
    ]
    for exercise, kernel in found:
        cells = (
            exercise,
            f"`{kernel.name}`",
            kernel.launched,
            kernel.target,
            f"{kernel.warps}",
            f"{kernel.registers}",
            f"{kernel.spilled:,}",
            f"{kernel.shared:,}",
            "yes" if kernel.tensor_cores else "no",
            f"{kernel.occupancy:.0%}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
