"""The HTML report: one page about the group, and one for each student.

Each page is one file without scripts, fonts or pictures from elsewhere. All texts are escaped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from quizprep.api import as_html
from quizprep.cohort.standing import Standing, StudentStanding
from quizprep.grading.verdict import Verdict
from quizprep.sheets.templating import environment

TEMPLATES = Path(__file__).parent / "templates"


def group_page(standing: Standing) -> str:
    """The page about the group; it links to ``students/...``."""
    return _environment().get_template("group.html.j2").render(standing=standing)


def student_page(student: StudentStanding, standing: Standing) -> str:
    """The page of one student, which tells nothing about others."""
    template = _environment().get_template("student.html.j2")
    return template.render(student=student, standing=standing)


def page_name(student: str) -> str:
    """The file name of a student's page: safe in any file system, and different for each."""
    if student.isdecimal() and student.isascii():
        return f"{student}.html"
    plain = re.sub(r"[^A-Za-z0-9]+", "-", student).strip("-")[:40]
    return f"{plain or 'student'}-{sha256(student.encode()).hexdigest()[:12]}.html"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=True, folder=TEMPLATES)
    made.globals |= {
        "page_name": page_name,
        "css": Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
    }
    made.filters["report"] = _report
    return made


def _report(verdict: Verdict) -> Markup:
    return Markup(as_html(verdict))
