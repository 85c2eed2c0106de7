"""Which lines of the grader no test executes: ``make coverage``.

The worker runs in forked and confined children that leave by ``os._exit`` or are killed, so every
process of the tests writes its marks into a file that all have mapped (`traced/sitecustomize.py`).

A line that cannot be tested says why beside it, ``# unseen: <reason>``; on the line that opens a
block the reason holds for the block. What is neither executed nor excused is an error, and so is
an excuse for what was executed. Tracing costs time and memory: a test that fails for it is shown
by pytest and does not count here.
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from tools.traced.sitecustomize import FOLDER, lines_of

ROOT = Path(__file__).parents[1]
MEASURED = ("quizprep/grading", "quizprep/worker")
TRACED = Path(__file__).parent / "traced"
EXCUSE = "# unseen:"
FINISHED = (0, 1)
"""What pytest answers when it has run everything, whether or not a test failed."""


@dataclass(frozen=True)
class Excuse:
    """A reason and the lines it holds for; the first ``opens`` of them may be executed."""

    line: int
    reason: str
    opens: frozenset[int]
    block: frozenset[int]


@dataclass(frozen=True)
class Measured:
    """One file: its executable lines, those that were executed, and what is wrong."""

    path: Path
    lines: frozenset[int]
    seen: frozenset[int]
    excused: frozenset[int]
    missed: frozenset[int]
    stale: tuple[int, ...]


def executable(code: CodeType) -> set[int]:
    """The lines of a code object and of everything defined in it."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return lines_of(code).union(*map(executable, inner))


def excuses(source: str) -> Iterator[Excuse]:
    """The excuses of a file; raises ValueError for one that excuses nothing."""
    tree = ast.parse(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or not token.string.startswith(EXCUSE):
            continue
        line, reason = token.start[0], token.string.removeprefix(EXCUSE).strip()
        spans = list(filter(None, (_span(node, line) for node in ast.walk(tree))))
        if not spans or not reason:
            raise ValueError(f"line {line}: an excuse needs a reason, and stands on a statement")
        opens, block = spans[0]
        yield Excuse(line, reason, opens, block)


def _span(node: ast.AST, line: int) -> tuple[frozenset[int], frozenset[int]] | None:
    """Of a statement that an excuse on this line belongs to: its opening lines and its block."""
    if isinstance(node, ast.match_case):
        first, last = node.pattern.lineno, node.body[-1].end_lineno
    elif isinstance(node, ast.stmt | ast.ExceptHandler):
        first, last = node.lineno, node.end_lineno
    else:
        return None
    body = getattr(node, "body", None)
    if body is None:
        return (frozenset(), frozenset(range(first, last + 1))) if first <= line <= last else None
    if not first <= line < max(body[0].lineno, first + 1):
        return None
    # Without its else, which another line opens.
    return (
        frozenset(range(first, body[0].lineno)),
        frozenset(range(body[0].lineno, body[-1].end_lineno + 1)),
    )


def measure(path: Path, marks: bytes) -> Measured:
    """Hold the marks of one file, one byte a line, against its code and its excuses."""
    source = path.read_text("utf-8")
    lines = executable(compile(source, str(path), "exec"))
    seen = {line for line in lines if marks[line]}
    given = list(excuses(source))
    excused = set[int]().union(*(excuse.opens | excuse.block for excuse in given))
    return Measured(
        path=path,
        lines=frozenset(lines),
        seen=frozenset(seen),
        excused=frozenset(lines & excused - seen),
        missed=frozenset(lines - excused - seen),
        stale=tuple(excuse.line for excuse in given if excuse.block & seen),
    )


def run(arguments: list[str], folder: Path, files: list[Path]) -> dict[Path, bytes]:
    """The tests with every line marked; what pytest printed is seen as it comes."""
    starts, end = {}, 0
    for file in files:
        starts[str(file)] = end
        end += len(file.read_bytes().splitlines()) + 1
    (folder / "starts.json").write_text(json.dumps(starts), "utf-8")
    (folder / "marks").write_bytes(bytes(end))
    paths = [str(TRACED), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, FOLDER: str(folder), "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False
    )
    if done.returncode not in FINISHED:
        sys.exit(done.returncode)
    marks = (folder / "marks").read_bytes()
    ends = [*starts.values(), end][1:]
    return {
        file: marks[start:end]
        for file, start, end in zip(files, starts.values(), ends, strict=True)
    }


def ranges(lines: frozenset[int]) -> str:
    """Line numbers in words: ``3-5, 9``."""
    starts = sorted(line for line in lines if line - 1 not in lines)
    ends = sorted(line for line in lines if line + 1 not in lines)
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments and print what it did not execute; 1 if there is any."""
    files = sorted(file for folder in MEASURED for file in (ROOT / folder).glob("**/*.py"))
    with tempfile.TemporaryDirectory() as folder:
        marks = run(arguments, Path(folder), files)
    found = [measure(file, marks[file]) for file in files]
    print()
    for file in found:
        name = file.path.relative_to(ROOT)
        if file.missed:
            print(f"{name}: no test executes {ranges(file.missed)}")
        for line in file.stale:
            print(f"{name}:{line}: excused, but a test executes it")
    lines, seen, excused = (
        sum(len(getattr(file, what)) for file in found) for what in ("lines", "seen", "excused")
    )
    print(f"{seen} of {lines} lines executed ({seen / lines:.1%}), {excused} excused")
    return int(any(file.missed or file.stale for file in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
