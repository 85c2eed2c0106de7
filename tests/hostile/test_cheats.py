"""Every known cheat fails with its reason, every honest control passes, and grading goes on."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Stage, Verdict

FOLDER = Path(__file__).parent / "submissions"
LIBRARY = Library(shipped_root())
ENDLESS = 2.0
"""Seconds for submissions that never end; all others have the deadline of the program."""

KNOWN_HOLES = {
    "torch/forges_flops": "readings are taken in the submission's own process; what no witness "
    "outside confirms, which is work, can be forged by one that also forges the seal",
}


@dataclass(frozen=True)
class Fixture:
    """A submission and what its docstring says of it. Without a stage it must pass."""

    path: Path
    exercise: str
    stage: str
    says: str

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"


def read_fixture(path: Path) -> Fixture:
    doc = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    fields = dict(re.findall(r"^(exercise|stage|says): *(.*)$", doc, re.M))
    assert fields.keys() == {"exercise"} or fields.keys() == {"exercise", "stage", "says"}, path
    assert ("stage" in fields) != doc.endswith("passes"), path
    return Fixture(path, fields["exercise"], fields.get("stage", ""), fields.get("says", ""))


FIXTURES = [read_fixture(path) for path in sorted(FOLDER.glob("*/*.py"))]


def parameter(fixture: Fixture) -> object:
    reason = KNOWN_HOLES.get(fixture.name)
    marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
    return pytest.param(fixture, id=fixture.name, marks=marks)


def grade(pool: Pool, fixture: Fixture) -> Verdict:
    """One nursery grades all of a runtime, so each cheat is also graded after the one before."""
    grader = Grader(pool, deadline=ENDLESS if "still running" in fixture.says else None)
    submission = Submission(fixture.path.name, fixture.path.read_bytes())
    return grader.grade(LIBRARY.exercise(fixture.exercise), submission, seed=20)


def words(stage: Stage) -> str:
    """Everything that a stage says."""
    parts = [stage.message]
    if stage.raised is not None:
        parts += [stage.raised.kind, stage.raised.message]
    parts += [case.message for case in stage.cases if case.status == "fail"]
    parts += [f"{r.meter}: {r.formula} {r.message}" for r in stage.readings if r.status == "fail"]
    if stage.witness is not None:
        parts.append(stage.witness.message)
    return "\n".join(parts)


@pytest.mark.parametrize("fixture", [parameter(fixture) for fixture in FIXTURES])
def test_cheat_fails_and_control_passes(fixture: Fixture, pool: Pool) -> None:
    """A cheat fails in its stage with its sentence, never by a fault of ours; a control passes."""
    verdict = grade(pool, fixture)
    failed = [stage for stage in verdict.stages if stage.status in ("fail", "error")]
    if not fixture.stage:
        assert verdict.passed, [words(stage) for stage in failed]
        return
    assert not verdict.passed
    assert [(stage.name, stage.status) for stage in failed] == [(fixture.stage, "fail")], [
        words(stage) for stage in failed
    ]
    assert fixture.says in words(failed[0])
    assert verdict.confined


@pytest.mark.parametrize("runtime", ["numpy", "torch", "triton"])
def test_solution_passes_after_cheats(runtime: str, pool: Pool) -> None:
    """What cheats did to their own processes is gone for the next submission."""
    for fixture in [f for f in FIXTURES if f.path.parent.name == runtime and f.stage][:3]:
        grade(pool, fixture)
    exercise = LIBRARY.exercise({f.path.parent.name: f.exercise for f in FIXTURES}[runtime])
    solution = Submission("solution.py", exercise.solution.read_bytes())
    assert Grader(pool).grade(exercise, solution, seed=20).passed


def test_list_of_cheats_is_whole() -> None:
    """Fixtures were found for every runtime, with honest controls among them."""
    found = {(f.path.parent.name, bool(f.stage)) for f in FIXTURES}
    assert found == {(name, cheat) for name in ("numpy", "torch", "triton") for cheat in (0, 1)}
    assert KNOWN_HOLES.keys() <= {f.name for f in FIXTURES}
