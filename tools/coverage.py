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
from collections.abc import Iterator, Mapping, Sequence
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
    """The lines that a reason on this one holds for; those that open the block may be executed."""

    line: int
    opens: frozenset[int]
    block: frozenset[int]


@dataclass(frozen=True)
class Measured:
    """The executable lines of a file: seen, excused, or missed; and excuses for what was seen."""

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
        yield Excuse(line, opens, block)


def _span(node: ast.AST, line: int) -> tuple[frozenset[int], frozenset[int]] | None:
    """Of a statement that an excuse on this line belongs to: its opening lines and its block."""
    if isinstance(node, ast.match_case):
        first, last = node.pattern.lineno, node.pattern.lineno
    elif isinstance(node, ast.stmt | ast.ExceptHandler) and not isinstance(node, ast.Match):
        first, last = node.lineno, node.end_lineno or node.lineno
    else:
        return None
    body: list[ast.stmt] = getattr(node, "body", [])
    if not body:
        return (frozenset(), frozenset(range(first, last + 1))) if first <= line <= last else None
    begin, end = body[0].lineno, body[-1].end_lineno or body[-1].lineno
    if not first <= line < begin:
        return None
    # Without its else, which another line opens.
    return frozenset(range(first, begin)), frozenset(range(begin, end + 1))


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


@dataclass(frozen=True)
class Marks:
    """A folder with the marks of some files, one byte a line, one file behind the other."""

    folder: Path
    starts: dict[Path, int]
    size: int

    @staticmethod
    def empty(folder: Path, files: Sequence[Path]) -> Marks:
        """Marks that nobody has made yet."""
        starts, size = {}, 0
        for file in files:
            starts[file] = size
            size += len(file.read_bytes().splitlines()) + 1
        text = json.dumps({str(file): start for file, start in starts.items()})
        (folder / "starts.json").write_text(text, "utf-8")
        (folder / "marks").write_bytes(bytes(size))
        return Marks(folder, starts, size)

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """The variables under which a Python makes its marks here."""
        path = os.pathsep.join([str(TRACED), str(ROOT), outer.get("PYTHONPATH", "")])
        return {**outer, FOLDER: str(self.folder), "PYTHONPATH": path}

    def read(self) -> dict[Path, bytes]:
        """The marks by file."""
        marks = (self.folder / "marks").read_bytes()
        ends = [*self.starts.values(), self.size][1:]
        return {
            file: marks[start:end]
            for (file, start), end in zip(self.starts.items(), ends, strict=True)
        }


def ranges(lines: frozenset[int]) -> str:
    """Line numbers in words: ``3-5, 9``."""
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
    with tempfile.TemporaryDirectory() as folder:
        marks = Marks.empty(Path(folder), files)
        command = [sys.executable, "-m", "pytest", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=marks.environment(os.environ), check=False)
        if done.returncode not in FINISHED:
            return done.returncode
        found = [measure(file, lines) for file, lines in marks.read().items()]
    print()
    for each in found:
        name = each.path.relative_to(ROOT)
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
