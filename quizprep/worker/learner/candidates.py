"""The submission with one small edit, as a module of its own: what the search for a slip tries.

Edits are made on the syntax tree, so that the file is parsed once. Loops and functions count their
steps: a candidate that loops for ever stops by itself, and one that skips the work is seen.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType, ModuleType
from typing import Any

from quizprep.worker.learner.edits import STEP, Edit, edits


class OutOfSteps(BaseException):
    """A candidate makes more steps than it may. Not an Exception, which submissions catch."""


class Candidates:
    """The edits of one submission. Number 0 is the submission itself."""

    def __init__(self, source: bytes, path: str, module: str, kernels: bool) -> None:
        """``kernels`` says whether functions may be Triton kernels, whose interpreter reads their
        source."""
        self._tree = ast.parse(source)
        self._path, self._module, self._kernels = path, module, kernels
        self._lines: set[int] = set()
        """Lines that the submission itself executed."""
        self._edits: list[Edit] | None = None
        _count_steps(self._tree)
        futures = (
            getattr(__future__, name.name).compiler_flag
            for node in self._tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "__future__"
            for name in node.names
        )
        self._flags = sum(futures)
        self._code = [self._compiled(top) for top in range(len(self._tree.body))]
        self._loaded: tuple[int, ModuleType] | None = None
        self.steps = 0
        """Steps of the last call."""
        self.max_steps = 0

    def count(self) -> int:
        """How many edits there are of the lines executed so far; call 0 comes before."""
        if self._edits is None:
            self._edits = edits(self._tree, self._lines)
        return len(self._edits)

    def edit(self, number: int) -> Edit:
        """The edit of that number, counted from 1."""
        assert self._edits is not None
        return self._edits[number - 1]

    def module(self, number: int) -> ModuleType:
        """The submission with that edit, executed afresh unless it is the last one that was.

        Raises what executing it raises.
        """
        if self._loaded is None or self._loaded[0] != number:
            self._loaded = None
            self._loaded = (number, self._executed(number))
        return self._loaded[1]

    @contextmanager
    def calling(self, number: int, max_steps: int) -> Iterator[None]:
        """Around a call: counts its steps, and raises OutOfSteps beyond ``max_steps``. The lines
        that the submission itself executes are noted until edits are listed."""
        self.steps, self.max_steps = 0, max_steps
        if number or self._edits is not None:
            yield
            return
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self._path:
            return None
        self._lines.add(frame.f_lineno)
        return self._trace

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.max_steps:
            raise OutOfSteps

    def _executed(self, number: int) -> ModuleType:
        code = self._code
        if number:
            edit = self.edit(number)
            edit.apply()
            try:
                changed = {top: self._compiled(top, number) for top in edit.top}
            finally:
                edit.undo()
            code = [changed.get(top, each) for top, each in enumerate(code)]
        module = ModuleType(self._module)
        module.__file__ = self._path
        vars(module)[STEP] = self._step
        sys.modules[self._module] = module
        for each in code:
            exec(each, vars(module))
        # The steps at import are bounded as well, but they are not the call's.
        self.steps = 0
        return module

    def _compiled(self, top: int, number: int = 0) -> CodeType:
        """A top-level statement, compiled. One with a kernel is given a text of its own, which the
        interpreter finds as the source of a file."""
        statement = self._tree.body[top]
        if not (self._kernels and _has_kernel(statement)):
            whole = ast.Module([statement], [])
            return compile(whole, self._path, "exec", self._flags, dont_inherit=True)
        text, name = ast.unparse(statement), f"<{self._module} {top}, edit {number}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        # Kernels are not traced by line, so that all of their lines count as executed.
        self._lines.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
        return compile(text, name, "exec", self._flags, dont_inherit=True)


def _has_kernel(statement: ast.stmt) -> bool:
    decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
    return any("jit" in ast.unparse(each) for each in decorators)


def _count_steps(tree: ast.Module) -> None:
    """Have every function and loop call STEP first. The calls have no line, so nothing edits
    them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.For | ast.While):
            step = ast.Expr(ast.Call(ast.Name(STEP, ast.Load()), [], []))
            ast.copy_location(step, node.body[0])
            ast.fix_missing_locations(step)
            node.body.insert(_docstring(node), step)


def _docstring(node: ast.AST) -> int:
    """How many statements a docstring takes at the beginning of a body: 1 or 0."""
    return int(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node, clean=False) is not None
    )
