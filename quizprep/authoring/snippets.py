"""Runs the snippets of code questions, to see that they print what the bank says.

A snippet is its author's code: it runs in a process of its own, isolated from the user's
environment and folders, but not confined. Check only banks of authors whom you trust.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile

from quizprep.authoring.bank_checks import loaded_banks
from quizprep.content.library import Library
from quizprep.content.loading import placed
from quizprep.content.questions import Code
from quizprep.content.yaml_tree import Finding
from quizprep.errors import Problem

TIMEOUT = 30.0
"""Seconds a snippet may take, the import of torch included."""
MAX_OUTPUT = 10_000
ALLOWED = sys.stdlib_module_names | {"numpy", "torch"}


def check_snippets(library: Library) -> list[Problem]:
    """Snippets that do not print what their bank says, by file and line."""
    problems: list[Problem] = []
    for topic, bank in loaded_banks(library).items():
        findings: list[Finding] = []
        for place, question in enumerate(bank.questions):
            if isinstance(question, Code) and (finding := _finding(question)) is not None:
                findings.append((("questions", place, *finding[0]), finding[1]))
        problems += placed(library.question_folder / f"{topic}.yaml", findings)
    return problems


def run_snippet(question: Code) -> Problem | None:
    """The problem of one snippet, under the question's id; None if it prints ``prints``."""
    finding = _finding(question)
    if finding is None:
        return None
    steps, message = finding
    return Problem(question.id, None, ".".join(str(step) for step in steps), message)


def _finding(question: Code) -> Finding | None:
    if (refused := _refused(question.snippet)) is not None:
        return ("snippet",), refused
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        command = [sys.executable, "-I", "-c", question.snippet]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                cwd=folder,
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            return ("snippet",), f"takes more than {TIMEOUT:g} s; make it smaller"
        output.seek(0)
        printed = output.read(MAX_OUTPUT).decode(errors="replace")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        return ("snippet",), f"fails when it is run: {last[0]}"
    if _lines(printed) != _lines(question.prints):
        return ("prints",), f"is not what the snippet prints; write {printed.strip()!r}"
    return None


def _refused(snippet: str) -> str | None:
    try:
        tree = ast.parse(snippet)
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"is not Python: {getattr(error, 'msg', error)}"
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        for name in names:
            if name.split(".")[0] not in ALLOWED:
                return f"imports {name}; only the standard library, numpy and torch are allowed"
    return None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
