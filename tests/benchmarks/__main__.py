"""``make bench``: how long things take, as ratios to a process that imports torch (or click).

Seconds differ from machine to machine; ratios taken in one run differ little. Baseline and
measurement alternate, and the median of each is taken, so that a busy moment hits both.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from quizprep.content import prebuild
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.grading.pipeline import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.proof import faulty_source
from tests.benchmarks import scale

ROUNDS = 7
LOOPS_OVER_TILES = ("flash_forward",)
WRONG = {
    "causal_mask": "strict_mask",
    "softmax": "no_max_subtraction",
    "flash_forward": "no_rescale_acc:both",
    "triton_softmax": "no_mask_value:next_power_of_2",
}


def main() -> int:
    """Print every ratio beside its budget; exit code 1 when one is over."""
    library = Library(shipped_root())
    rows: list[tuple[str, float, float]] = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["QUIZPREP_HOME"] = home
        rows += _cold(library, home)
        rows += _warm(library)
        rows += _first_prompt(home)
    over = False
    for name, ratio, budget in rows:
        over = over or ratio > budget
        flag = "over" if ratio > budget else "ok"
        print(f"{name:56} {ratio:7.3f}   at most {budget:5}   {flag}", flush=True)
    return int(over)


def _process(*arguments: str, **extra: str) -> float:
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **extra},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - start


def _import_torch() -> float:
    return _process("-c", "import torch", OMP_NUM_THREADS="1")


def _ratio(baseline: Callable[[], float], measured: Callable[[], float], rounds: int) -> float:
    pairs = [(baseline(), measured()) for _ in range(rounds)]
    return statistics.median(b for _, b in pairs) / statistics.median(a for a, _ in pairs)


def _cold(library: Library, home: str) -> list[tuple[str, float, float]]:
    rows = []
    for exercise in library.exercises:
        if exercise.spec.runtime == "triton":
            continue

        def run(exercise: Exercise = exercise) -> float:
            return _process("-m", "quizprep", "grade", exercise.id, str(exercise.solution))

        rows.append((f"cold grade {exercise.id}", _ratio(_import_torch, run, 5), 1.4))
    return rows


def _budget(exercise: Exercise) -> float:
    if exercise.spec.runtime == "triton":
        return 0.6
    return 0.25 if exercise.id in LOOPS_OVER_TILES else 0.15


def _warm(library: Library) -> list[tuple[str, float, float]]:
    rows = []
    with Pool() as pool:
        grader = Grader(pool)

        def grade(exercise: Exercise, source: bytes) -> float:
            start = time.perf_counter()
            grader.grade(exercise, Submission("submission.py", source))
            return time.perf_counter() - start

        for exercise in library.exercises:
            right = exercise.solution.read_bytes()
            grade(exercise, right)
            ratio = _ratio(_import_torch, lambda: grade(exercise, right), ROUNDS)  # noqa: B023
            rows.append((f"warm grade {exercise.id}, right", ratio, _budget(exercise)))
            if exercise.id in WRONG:
                wrong = faulty_source(exercise, (WRONG[exercise.id],))
                ratio = _ratio(_import_torch, lambda: grade(exercise, wrong), ROUNDS)  # noqa: B023
                rows.append((f"warm grade {exercise.id}, wrong", ratio, _budget(exercise)))

        def everything() -> float:
            return sum(grade(e, e.solution.read_bytes()) for e in library.exercises)

        rows.append(("all solutions in one go", _ratio(_import_torch, everything, 3), 25))
    return rows


def _first_prompt(home: str) -> list[tuple[str, float, float]]:
    """From the start of ``quizprep ask`` to the end of its first question, through a pipe.

    Bytecode is written beforehand, as an installed program has it; so is the decoded content,
    which the build makes. The very first start has neither a store nor a cache yet.
    """
    bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{home}/bytecode"}
    first = Path(home) / "first"

    def click() -> float:
        return _process("-c", "import click", **bytecode)

    def ask(*more: str, folder: Path = first) -> float:
        arguments = ("-m", "quizprep", "ask", "-n", "1", *more)
        return _process(*arguments, QUIZPREP_HOME=str(folder), **bytecode)

    def very_first() -> float:
        shutil.rmtree(first, ignore_errors=True)
        return ask()

    prebuild.main()
    ask()
    rows = [
        ("first prompt of ask, the very first start", _ratio(click, very_first, 15), 3.0),
        ("first prompt of ask, later", _ratio(click, ask, 15), 3.0),
    ]
    banks, grown = scale.banks(Path(home) / "banks"), Path(home) / "grown"
    scale.history(grown)

    def ask_much() -> float:
        return ask("--bank", str(banks), folder=grown)

    ask_much()
    ratio = _ratio(click, ask_much, 9)
    return [
        *rows,
        (f"first prompt, {scale.QUESTIONS:,} questions, {scale.REVIEWS:,} answers", ratio, 6),
    ]


if __name__ == "__main__":
    sys.exit(main())
