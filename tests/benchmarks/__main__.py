"""``make bench``: how long things take, as ratios to a process that imports torch (or click).

Seconds differ from machine to machine; ratios taken in one run differ little. Baseline and
measurement alternate, and the median of each is taken, so that a busy moment hits both. Beside a
ratio stands what is counted and is the same everywhere: the modules a process imports, or what a
grading runs and what its submission does by the meters.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from quizprep.authoring import prebuild
from quizprep.authoring.exercise_proof import faulty_source
from quizprep.content.exercises import Runtime
from quizprep.content.library import Exercise, Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.plan import cost_points
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Verdict
from tests.benchmarks import group, pages, scale

ROUNDS = 5
COLD = ("causal_mask", "softmax", "flash_forward", "kv_cache")
TILES = {"chunk", "splits", "block", "window", "page"}
IN_CHUNKS = {"linear_attention"}
"""Sizes of exercises that are written as loops over tiles, and one whose chunks are d long."""

WRONG = {
    "causal_mask": "strict_mask",
    "softmax": "no_max_subtraction",
    "flash_forward": "no_rescale_acc:both",
    "triton_softmax": "no_mask_value:next_power_of_2",
}


SEARCH = 0.35
"""What the search for the line may add to a failing grading."""

Row = tuple[str, float, float, str]
"""What was measured, its ratio, what it may be at most, and what is counted of it."""


def main() -> int:
    """Print every ratio beside its budget; exit code 1 when one is over."""
    library = Library(shipped_root())
    over = False
    with tempfile.TemporaryDirectory() as home:
        os.environ["QUIZPREP_HOME"] = home
        for name, ratio, budget, counted in chain(
            _cold(library),
            _warm(library),
            _group(library),
            _sheets(home),
            _pages(home),
            _first_prompt(home),
        ):
            over = over or ratio > budget
            flag = "over" if ratio > budget else "ok"
            line = f"{name:56} {ratio:7.3f}   at most {budget:5}   {flag:4}   {counted}"
            print(line.rstrip(), flush=True)
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


def _modules(*arguments: str, **extra: str) -> str:
    """How many modules a process of these arguments imports."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        env={**os.environ, **extra},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return f"{run.stderr.count('import time:') - 1} modules"


def _counted(grader: Grader, exercise: Exercise, verdict: Verdict) -> str:
    """Cases, points at which meters are read, and the submission's readings at the largest."""
    cases = f"{len(grader.cases(exercise, verdict.seed))} cases"
    cost = verdict.stage("cost")
    if cost.status != "pass":
        return cases
    points = len(cost_points(exercise.id, exercise.spec.contract, verdict.seed))
    largest = (f"{reading.meter} {reading.largest:,}" for reading in cost.readings[:3])
    return f"{cases}, {points} points; {', '.join(largest)}"


def _import_torch() -> float:
    return _process("-c", "import torch", OMP_NUM_THREADS="1")


def _ratio(baseline: Callable[[], float], measured: Callable[[], float], rounds: int) -> float:
    return _ratios(baseline, {"": measured}, rounds)[""]


def _ratios(
    baseline: Callable[[], float], measured: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, float]:
    """The median of each measurement to that of a baseline which is taken once a round."""
    base: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        base.append(baseline())
        for name, measure in measured.items():
            times[name].append(measure())
    return {name: statistics.median(t) / statistics.median(base) for name, t in times.items()}


def _cold(library: Library) -> Iterator[Row]:
    def run(exercise: Exercise) -> Callable[[], float]:
        arguments = ("-m", "quizprep", "grade", exercise.id, str(exercise.solution))
        return lambda: _process(*arguments)

    measured = {f"cold grade {name}": run(library.exercise(name)) for name in COLD}
    for place, (name, ratio) in enumerate(_ratios(_import_torch, measured, 5).items()):
        exercise = library.exercise(COLD[place])
        counted = _modules("-m", "quizprep", "grade", exercise.id, str(exercise.solution))
        yield name, ratio, 1.4, counted


def _budget(exercise: Exercise) -> float:
    if exercise.spec.runtime is Runtime.TRITON:
        return 0.6
    contract = exercise.spec.contract
    in_tiles = contract.tiles or TILES & contract.sizes.keys() or exercise.id in IN_CHUNKS
    return 0.25 if in_tiles else 0.15


def _warm(library: Library) -> Iterator[Row]:
    with Pool() as pool:
        grader = Grader(pool)

        def grade(exercise: Exercise, source: bytes, by: Grader = grader) -> Callable[[], float]:
            def run() -> float:
                start = time.perf_counter()
                by.grade(exercise, Submission("submission.py", source))
                return time.perf_counter() - start

            return run

        measured: dict[str, Callable[[], float]] = {}
        budgets: dict[str, float] = {}
        counted: dict[str, str] = {}
        for exercise in library.exercises:
            right = f"warm grade {exercise.id}, right"
            measured[right] = grade(exercise, exercise.solution.read_bytes())
            budgets[right] = _budget(exercise)
            # The first starts the nursery.
            submission = Submission("submission.py", exercise.solution.read_bytes())
            counted[right] = _counted(grader, exercise, grader.grade(exercise, submission, seed=1))
            if exercise.id in WRONG:
                wrong = f"warm grade {exercise.id}, wrong"
                source = faulty_source(exercise, (WRONG[exercise.id],))
                measured[wrong] = grade(exercise, source, Grader(pool, search=0))
                budgets[wrong] = _budget(exercise)
                searching = f"{wrong}, with the search for the line"
                measured[searching] = grade(exercise, source)
                budgets[searching] = _budget(exercise) + SEARCH
                counted[searching] = ""
                counted[wrong] = f"{len(grader.cases(exercise, 1))} cases"
        ratios = _ratios(_import_torch, measured, ROUNDS)
        for name, ratio in ratios.items():
            yield name, ratio, budgets[name], counted[name]
        whole = sum(ratio for name, ratio in ratios.items() if name.endswith("right"))
        yield "all solutions in one go", whole, 25, f"{len(library.exercises)} exercises"


SHEETS = {"html": 1.5, "pdf": 8.0}
"""Budgets of a sheet of all topics by format; what its figures show is kept, not measured."""


def _group(library: Library) -> Iterator[Row]:
    """A course, against warm gradings spread evenly over the cores."""
    name = f"cohort, {group.SUBMISSIONS} submissions: against even shares of the cores"
    yield name, group.share_of_the_cores(library), round(1 / group.EFFICIENCY, 2), ""


def _sheets(home: str) -> Iterator[Row]:
    """The whole program, from its start to the file of all topics."""

    def write(kind: str) -> Callable[[], float]:
        target = str(Path(home) / f"bench.{kind}")
        return lambda: _process("-m", "quizprep", "sheet", "--format", kind, "-o", target)

    measured = {f"sheet of all topics, {kind}": write(kind) for kind in SHEETS}
    ratios = _ratios(_import_torch, measured, ROUNDS)
    for kind, (name, ratio) in zip(SHEETS, ratios.items(), strict=True):
        assert (Path(home) / f"bench.{kind}").stat().st_size > 100_000
        target = str(Path(home) / f"bench.{kind}")
        counted = _modules("-m", "quizprep", "sheet", "--format", kind, "-o", target)
        yield name, ratio, SHEETS[kind], counted


def _pages(home: str) -> Iterator[Row]:
    """The server of ``quizprep web``, from its start to its address and to its first page; then
    what a question takes of it, and its memory, as shares of what they may be."""
    folder = Path(home) / "pages"
    pages.ready(folder)  # the very first start has no store yet
    measured: dict[str, Callable[[], float]] = {
        "web: the server is ready": lambda: pages.ready(folder)[0],
        "web: its first page is there": lambda: pages.ready(folder)[1],
    }
    ratios = _ratios(_import_torch, measured, ROUNDS)
    for (name, ratio), budget in zip(ratios.items(), (1.0, 0.35), strict=True):
        yield name, ratio, budget, ""
    spent, resident = pages.at_work(folder)
    name = f"web: a question of {pages.MOST_MS} ms of the processor"
    yield name, spent / pages.MOST_MS, 1.0, f"{spent:.0f} ms"
    name = f"web: memory of {pages.MOST_MIB} MiB without a grader"
    yield name, resident / pages.MOST_MIB, 1.0, f"{resident:.0f} MiB"


def _first_prompt(home: str) -> list[Row]:
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

    def modules(*more: str, folder: Path = first) -> str:
        arguments = ("-m", "quizprep", "ask", "-n", "1", *more)
        return _modules(*arguments, QUIZPREP_HOME=str(folder), **bytecode)

    def very_first() -> float:
        shutil.rmtree(first, ignore_errors=True)
        return ask()

    prebuild.main()
    ask()
    rows = [
        (
            "first prompt of ask, the very first start",
            _ratio(click, very_first, 15),
            3.0,
            modules(),
        ),
        ("first prompt of ask, later", _ratio(click, ask, 15), 3.0, modules()),
    ]
    banks, grown = scale.banks(Path(home) / "banks"), Path(home) / "grown"
    scale.history(grown)

    def ask_much() -> float:
        return ask("--bank", str(banks), folder=grown)

    ask_much()
    ratio = _ratio(click, ask_much, 9)
    name = f"first prompt, {scale.QUESTIONS:,} questions, {scale.REVIEWS:,} answers"
    return [*rows, (name, ratio, 6, modules("--bank", str(banks), folder=grown))]


if __name__ == "__main__":
    sys.exit(main())
