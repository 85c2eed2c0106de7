"""A failing case taken home: a script that runs without quizprep, and passes for the solution."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool

LIBRARY = Library(shipped_root())


@pytest.mark.parametrize("name", LIBRARY.exercise_ids)
def test_a_saved_case_passes_for_the_solution_alone(name: str, pool: Pool, tmp_path: Path) -> None:
    """What the starter fails in, the solution passes, in a process that has no quizprep."""
    exercise = LIBRARY.exercise(name)
    starter = exercise.folder / "starter.py"
    grader = Grader(pool, search=0, script=True)
    verdict = grader.grade(exercise, Submission("starter.py", starter.read_bytes()), seed=3)
    verdict, script = verdict.without_script()
    assert script and not verdict.stage("diagnosis").script
    case = tmp_path / "case.py"
    case.write_text(script.replace("{submission}", repr(str(starter))), encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['quizprep'] = None\n", encoding="utf-8"
    )
    if "quizprep" in exercise.solution.read_text(encoding="utf-8"):
        pytest.skip("the solution imports it")

    def run(file: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(case), str(file)],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    right = run(exercise.solution)
    assert right.returncode == 0, right.stdout[-2000:] + right.stderr[-2000:]
    assert "right" in right.stdout
    assert run(starter).returncode == 1
