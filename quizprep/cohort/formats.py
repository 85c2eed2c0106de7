"""The standing of a group as files: CSV, JSON, JUnit, Parquet, and what course systems read.

Names and outputs come from students. In CSV a cell that a spreadsheet would take for a formula
begins with an apostrophe; XML and JSON have no control characters.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from quizprep.api import as_text
from quizprep.cohort.credit import Credit
from quizprep.cohort.standing import Entry, Standing, StudentStanding
from quizprep.cohort.submissions import read_table
from quizprep.errors import MissingExtraError, UsageError
from quizprep.text import counted, json_text, printable

COLUMNS = (
    "student",
    "exercise",
    "status",
    "points",
    "maximum",
    "mistakes",
    "reason",
    "versions",
    "confined",
)
MAX_OUTPUT = 20_000
"""Characters of a report in the files of course systems, which limit a file to 1 MB."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(standing: Standing) -> str:
    """A row for each student and exercise."""
    return _csv([COLUMNS, *([str(row[name]) for name in COLUMNS] for row in rows(standing))])


def rows(standing: Standing) -> list[dict[str, str | float | int]]:
    """A row for each student and exercise, by column."""
    return [
        {
            "student": entry.student,
            "exercise": entry.exercise,
            "status": entry.status,
            "points": entry.points,
            "maximum": standing.credit.maximum(entry.exercise),
            "mistakes": " ".join(mistake.id for mistake in entry.mistakes),
            "reason": printable(entry.reason),
            "versions": entry.versions,
            "confined": "no" if entry.verdict is not None and entry.verdict.unconfined else "yes",
        }
        for entry in standing.entries
    ]


def to_json(standing: Standing) -> str:
    """One object: students with their verdicts, exercises with what the group makes of them."""
    students = [
        {
            "student": student.name,
            "points": student.points,
            "exercises": [
                {
                    "exercise": entry.exercise,
                    "status": entry.status,
                    "points": entry.points,
                    "versions": entry.versions,
                    "verdict": entry.verdict and json.loads(entry.verdict.json()),
                }
                for entry in student.entries
            ],
        }
        for student in standing.students
    ]
    exercises = [
        {
            "exercise": each.id,
            "handed_in": len(each.entries),
            "passed": each.passed,
            "mistakes": {mistake.id: count for mistake, count in each.mistakes},
            "costs": {meter: dict(formulas) for meter, formulas in each.costs.items()},
        }
        for each in standing.exercises
    ]
    return _json(
        {
            "format": 1,
            "program": standing.program,
            "maximum": standing.maximum,
            "students": students,
            "exercises": exercises,
            "refused": [{"file": each.file, "why": each.why} for each in standing.refused],
            "unknown": list(standing.unknown),
            "left_out": standing.left_out,
        }
    )


def to_junit(standing: Standing) -> str:
    """JUnit XML: a suite for each student, a test case for each exercise."""
    root = ElementTree.Element("testsuites", name="quizprep")
    for student in standing.students:
        failed = [e for e in student.entries if e.verdict is not None and not e.passed]
        lost = [e for e in student.entries if e.verdict is None]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=student.name,
            tests=str(len(student.entries)),
            failures=str(len(failed)),
            errors=str(len(lost)),
        )
        for entry in student.entries:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"quizprep.{entry.exercise}", name=entry.exercise
            )
            if not entry.passed:
                tag = "error" if entry.verdict is None else "failure"
                ElementTree.SubElement(case, tag, message=entry.reason).text = _report(entry)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
    return printable(text, keep="\n")


def to_gradescope(student: StudentStanding, credit: Credit, exercises: Iterable[str]) -> str:
    """A student's results.json for Gradescope; an exercise that was not handed in has 0 points.

    Format: https://gradescope-autograders.readthedocs.io/en/latest/specs/
    """
    tests = []
    for exercise in exercises:
        entry = student.entry(exercise)
        tests.append(
            {
                "name": exercise,
                "score": entry.points if entry else 0.0,
                "max_score": credit.maximum(exercise),
                "status": "passed" if entry and entry.passed else "failed",
                "output": _report(entry),
                "output_format": "text",
            }
        )
    return _json({"score": student.points, "visibility": "visible", "tests": tests})


def to_prairielearn(student: StudentStanding, credit: Credit, exercises: Iterable[str]) -> str:
    """A student's results.json for an external grader of PrairieLearn.

    Format: https://prairielearn.readthedocs.io/en/latest/externalGrading/
    """
    ids = list(exercises)
    most = sum(credit.maximum(exercise) for exercise in ids)
    tests = []
    for exercise in ids:
        entry = student.entry(exercise)
        tests.append(
            {
                "name": exercise,
                "description": "",
                "points": entry.points if entry else 0.0,
                "max_points": credit.maximum(exercise),
                "message": printable(entry.reason) if entry else "Not handed in.",
                "output": _report(entry),
            }
        )
    passed = f"{student.passed} of {len(ids)} passed."
    score = min(1.0, student.points / most) if most else 0.0
    return _json({"gradable": True, "score": score, "message": passed, "tests": tests})


CANVAS_COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def to_canvas(standing: Standing, gradebook: str | None = None) -> str:
    """A CSV file for the import of Canvas's gradebook: a column of points for each exercise.

    gradebook  the text of an export of that gradebook. Its students are kept, each found by the
               folder's name in one of the columns Student, ID, SIS User ID or SIS Login ID, and an
               assignment that is called like an exercise keeps its number. Without a gradebook the
               folder's name is taken for the SIS Login ID.

    Raises UsageError for a gradebook without these columns, or in which somebody is missing.
    """
    exercises = [exercise.id for exercise in standing.exercises]
    possible = [f"{standing.credit.maximum(exercise):g}" for exercise in exercises]
    head = [*CANVAS_COLUMNS, *exercises]
    most = ["    Points Possible", "", "", "", "", *possible]

    def points(student: StudentStanding) -> list[str]:
        found = map(student.entry, exercises)
        return ["" if entry is None else f"{entry.points:g}" for entry in found]

    if gradebook is None:
        known = [[each.name, "", "", each.name, "", *points(each)] for each in standing.students]
        return _csv([head, most, *known])
    hint = "Export it in Canvas: Grades, Export."
    table = read_table(gradebook, "The gradebook", CANVAS_COLUMNS[:2], hint)
    columns = table[0] if table else {}
    # An assignment that exists is named with its number: "softmax (1234)".
    named = {re.sub(r" \(\d+\)$", "", name): name for name in columns}
    head = [*CANVAS_COLUMNS, *(named.get(exercise, exercise) for exercise in exercises)]
    students = {student.name: student for student in standing.students}
    out = [head, most]
    for row in table:
        texts = [row.get(column, "") for column in CANVAS_COLUMNS]
        name = next((text for text in texts[:4] if text in students), None)
        if name is not None:
            out.append([*texts, *points(students.pop(name))])
    if students:
        listed = ", ".join(printable(name) for name in list(students)[:10])
        raise UsageError(
            f"{counted(len(students), 'student')} not in the gradebook: {listed}.",
            hint="Name folders by ID, SIS Login ID or name, or map them: --map FILE.csv",
        )
    return _csv(out)


def write_parquet(standing: Standing, target: Path) -> None:
    """The rows of the CSV file, as Parquet; raises MissingExtraError without pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("--format parquet", "parquet") from error
    parquet.write_table(pyarrow.Table.from_pylist(rows(standing)), target)


TEXTS: Mapping[str, Callable[[Standing], str]] = {
    "csv": to_csv,
    "json": to_json,
    "junit": to_junit,
}
"""Formats that are one text."""
STUDENT_FILES: Mapping[str, Callable[[StudentStanding, Credit, Iterable[str]], str]] = {
    "gradescope": to_gradescope,
    "prairielearn": to_prairielearn,
}
"""Formats that are a results.json for each student."""


def _json(value: object) -> str:
    return json_text(value) + "\n"


def _report(entry: Entry | None) -> str:
    if entry is None:
        return "Not handed in."
    return as_text(entry.verdict)[:MAX_OUTPUT] if entry.verdict is not None else entry.reason


def _csv(table: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for row in table:
        writer.writerow([_cell(str(value)) for value in row])
    return out.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
