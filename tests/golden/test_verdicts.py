"""What a learner is told, word by word: one submission each, and the verdict it must give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quizprep import meter
from quizprep.content.library import Library, shipped_root
from quizprep.grading import report
from quizprep.grading.grader import Grader, Submission
from quizprep.grading.junit import to_junit
from quizprep.grading.pool import Pool
from quizprep.grading.verdict import Verdict
from tests.conftest import Golden

FOLDER = Path(__file__).parent / "verdicts"
SUBMISSIONS = sorted((FOLDER / "submissions").glob("*.py"))
TASK = Library(shipped_root()).exercise("causal_mask")
SEED = 7
DEADLINES = {"timeout": 2.0}
"""Seconds; the others have the deadline of the program."""

SHOWN_CASES = 2


def grade(pool: Pool, path: Path) -> Verdict:
    grader = Grader(pool, deadline=DEADLINES.get(path.stem), search=30, by_line=True)
    return grader.grade(TASK, Submission(path.name, path.read_bytes()), seed=SEED)


def normalised(verdict: Verdict) -> dict[str, Any]:
    """The JSON of a verdict without what the machine decides, and with its first failed cases.

    One that was not reached stays too: the report says other things where there is one.
    """
    found: dict[str, Any] = json.loads(report.to_json(verdict))
    found["printed"] = found["printed"][:60]
    found["unconfined"] = []
    found["confined"] = True
    for stage in found["stages"]:
        stage.pop("witness", None)
        failed = [case for case in stage.get("cases", ()) if case["status"] == "fail"]
        skipped = [case for case in stage.get("cases", ()) if case["status"] == "skip"]
        if "cases" in stage:
            stage["cases"] = failed[:SHOWN_CASES] + skipped[:1]
    return found


@pytest.mark.parametrize("path", SUBMISSIONS, ids=lambda path: path.stem)
def test_verdict_says_what_it_said(path: Path, pool: Pool, golden: Golden) -> None:
    """The verdict on each submission is the one on file: as JSON, as JUnit, on a terminal."""
    found = normalised(grade(pool, path))
    verdict = msgspec.convert(found, Verdict, dec_hook=meter.from_text)
    said = "".join(f"{' ' * line.indent}{line.text}\n" for line in report.lines(verdict))
    golden(FOLDER / f"{path.stem}.json", json.dumps(found, indent=1) + "\n")
    golden(FOLDER / f"{path.stem}.xml", to_junit(verdict))
    golden(FOLDER / f"{path.stem}.txt", said)


def test_no_verdict_shows_code_of_ours(pool: Pool) -> None:
    """No message, frame or output of a failed submission has a line of the grader in it."""
    for path in FOLDER.glob("*.*"):
        text = path.read_text("utf-8")
        assert "Traceback" not in text and "quizprep/worker" not in text, path.name


def test_every_file_has_its_submission() -> None:
    """No golden file is left over."""
    for kind in ("json", "xml", "txt"):
        assert {p.stem for p in FOLDER.glob(f"*.{kind}")} == {p.stem for p in SUBMISSIONS}
