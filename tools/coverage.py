"""Lists the lines of the grader that no test executes: ``make coverage``.

The worker runs in forked and confined children that leave by ``os._exit`` or are killed. Therefore
every Python process of the tests marks the lines it executes in a file that all of them have mapped
(`traced/sitecustomize.py`). The package `coverage` 7.17 with ``patch = ["subprocess", "fork",
"_exit"]`` was tried in December 2026 on three test files: it found 4427 of the 4777 lines found
here. It writes its data when a process ends, which a confined process may not do and a killed
one cannot, so most of the learner's process was missing.

A line that no test can execute says why beside it, ``# unseen: <reason>``; on the line that opens a
block the reason holds for the block. A line that is neither executed nor excused is an error, and
so is an excuse for an executed line. Tracing costs time and memory; a test that fails because of it
is shown by pytest and does not fail this command.
"""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from tools.traced.sitecustomize import FOLDER, MARKS, STARTS, lines_of

ROOT = Path(__file__).parents[1]
MEASURED = ("quizprep/grading", "quizprep/worker")
TRACED = Path(__file__).parent / "traced"
EXCUSE = "# unseen:"
FINISHED = (0, 1)
"""Pytest's exit codes when it has run everything, whether or not a test failed."""


@dataclass(frozen=True)
class Excuse:
    """The lines that a comment excuses; those that open a block may be executed all the same."""

    line: int
    opening: range
    block: range


@dataclass(frozen=True)
class Measured:
    """The executable lines of a file, and the lines of excuses for a block that was executed."""

    path: Path
    lines: set[int]
    seen: set[int]
    excused: set[int]
    missed: set[int]
    stale: list[int]


def executable(code: CodeType) -> set[int]:
    """The lines of a code object and of everything defined in it."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return lines_of(code).union(*map(executable, inner))


def excuses(source: str) -> Iterator[Excuse]:
    """The excuses of a file; raises ValueError for one that excuses nothing."""
    nodes = list(ast.walk(ast.parse(source)))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not token.string.startswith(EXCUSE):
            continue
        line, reason = token.start[0], token.string.removeprefix(EXCUSE).strip()
        found = next(filter(None, (_excuse(node, line) for node in nodes)), None)
        if not found or not reason:
            raise ValueError(f"line {line}: an excuse needs a reason, and stands on a statement")
        yield found


def _excuse(node: ast.AST, line: int) -> Excuse | None:
    """The excuse on this line, if the line opens the block of this node or lies in a statement
    without a block."""
    if isinstance(node, ast.match_case):
        first = end = node.pattern.lineno
    elif isinstance(node, ast.stmt | ast.ExceptHandler) and not isinstance(node, ast.Match):
        first, end = node.lineno, node.end_lineno or node.lineno
    else:
        return None
    begin = first
    if body := getattr(node, "body", None):
        # Without the else of an if, which another line opens.
        begin, end = body[0].lineno, body[-1].end_lineno
    opening, block = range(first, begin), range(begin, end + 1)
    return Excuse(line, opening, block) if line in (opening or block) else None


def measure(path: Path, marks: bytes) -> Measured:
    """Compare the marks of a file, one byte a line, with its code and its excuses."""
    source = path.read_text("utf-8")
    lines = executable(compile(source, str(path), "exec"))
    seen = {line for line in lines if marks[line]}
    given = list(excuses(source))
    covered = set[int]().union(*(excuse.opening for excuse in given), *(e.block for e in given))
    return Measured(
        path=path,
        lines=lines,
        seen=seen,
        excused=lines & covered - seen,
        missed=lines - covered - seen,
        stale=[excuse.line for excuse in given if seen.intersection(excuse.block)],
    )


def prepare(folder: Path, files: Iterable[Path]) -> None:
    """Write empty marks for these files, one file's behind the other's, and where each starts."""
    starts, size = {}, 0
    for file in files:
        starts[str(file)] = size
        size += len(file.read_bytes().splitlines()) + 1
    (folder / STARTS).write_text(json.dumps(starts), "utf-8")
    (folder / MARKS).write_bytes(bytes(size))


def environment(folder: Path, outer: Mapping[str, str]) -> dict[str, str]:
    """The variables that make a Python process mark its lines in the folder."""
    path = os.pathsep.join([str(TRACED), str(ROOT), outer.get("PYTHONPATH", "")])
    return {**outer, FOLDER: str(folder), "PYTHONPATH": path}


def results(folder: Path) -> list[Measured]:
    """What the marks in the folder say about each file."""
    marks = (folder / MARKS).read_bytes()
    starts = json.loads((folder / STARTS).read_text("utf-8"))
    return [measure(Path(file), marks[start:]) for file, start in starts.items()]


def ranges(lines: set[int]) -> str:
    """Line numbers as text: ``3-5, 9``."""
    starts = sorted(line for line in lines if line - 1 not in lines)
    ends = sorted(line for line in lines if line + 1 not in lines)
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments and print what it did not execute; 1 if there is any."""
    files = sorted(file for folder in MEASURED for file in (ROOT / folder).glob("**/*.py"))
    for file in files:
        try:
            list(excuses(file.read_text("utf-8")))
        except ValueError as error:
            sys.exit(f"{file.relative_to(ROOT)}, {error}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, files)
        command = [sys.executable, "-m", "pytest", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment(folder, os.environ), check=False)
        if done.returncode not in FINISHED:
            return done.returncode
        found = results(folder)
    print()
    for each in found:
        name = str(each.path.relative_to(ROOT))
        if each.missed:
            print(f"{name}: no test executes {ranges(each.missed)}")
        for line in each.stale:
            print(f"{name}:{line}: excused, but a test executes it")
    lines, seen, excused = (
        sum(len(getattr(each, what)) for each in found) for what in ("lines", "seen", "excused")
    )
    print(f"{seen} of {lines} lines executed ({seen / lines:.1%}), {excused} excused")
    return int(any(each.missed or each.stale for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
