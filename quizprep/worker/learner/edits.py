"""Small edits of a submission's syntax tree: what a person might change to mend a single slip.

An edit replaces one expression or statement, or the same one at every place. `edits` lists them in
the order of their success on other people's wrong answers, so that a search may stop early.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from quizprep.worker.learner.expressions import rewrites
from quizprep.worker.learner.scope import Rewrite, Scope
from quizprep.worker.learner.statements import statement_rewrites

STEP = "__quizprep_step__"
"""The function that counts a step of a candidate; every loop and function begins with a call of
it, which is not edited."""

MAX_EDITS = 4000
"""Edits of one submission; a file of a hundred lines has about two thousand."""

ORDER = (
    "compare",
    "offset",
    "flag",
    "diagonal",
    "scale",
    "constant",
    "drop operand",
    "method",
    "bound",
    "guard",
    "swap",
    "arithmetic",
    "copy",
    "similar name",
    "attribute",
    "condition",
    "drop call",
    "keepdim",
    "transpose",
    "drop keyword",
    "alignment",
    "factor",
    "term",
    "upcast",
    "drop statement",
    "everywhere",
    "einsum",
    "order",
    "drop index",
    "name",
)
"""Kinds of edits, those that mend most often for their number first."""

COMPOSITE = frozenset({"everywhere"})
"""Kinds that change several places at once."""


@dataclass(frozen=True)
class Place:
    """Where a node hangs in the tree: in a field of its parent, at an index if that is a list."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class Edit:
    """One edit: its kind, and at each place the node there and the node that replaces it.

    top  the places in the module of the statements that it changes
    """

    kind: str
    places: tuple[Place, ...]
    old: tuple[ast.AST, ...]
    new: tuple[ast.AST, ...]
    top: frozenset[int]

    @property
    def line(self) -> int:
        """The line of the first node that is replaced."""
        return int(getattr(self.old[0], "lineno", 0))

    @property
    def before(self) -> str:
        """The code that is replaced."""
        return self._text(self.old)

    @property
    def after(self) -> str:
        """The code that replaces it; "" if it is deleted."""
        self._give_lines()
        return "" if isinstance(self.new[0], ast.Pass) else self._text(self.new)

    def _give_lines(self) -> None:
        """Give new nodes the lines of those that they replace, without which nothing compiles."""
        for old, new in zip(self.old, self.new, strict=True):
            if not hasattr(new, "lineno"):
                ast.copy_location(new, old)
            ast.fix_missing_locations(new)

    def _text(self, nodes: tuple[ast.AST, ...]) -> str:
        shown = nodes if self.kind == "order" else nodes[:1]
        # Of an if or a while only the condition.
        return "; ".join(ast.unparse(node).splitlines()[0] for node in shown)

    def apply(self) -> None:
        """Change the tree."""
        self._give_lines()
        for place, new in zip(self.places, self.new, strict=True):
            place.put(new)

    def undo(self) -> None:
        """Restore the tree."""
        for place, old in zip(self.places, self.old, strict=True):
            place.put(old)


def edits(tree: ast.Module, lines: Collection[int] | None = None) -> list[Edit]:
    """The edits of a module, those that mend most often first.

    ``lines`` are the lines that were executed: nothing else is changed. None is every line.
    """
    found: list[Edit] = []
    seen: set[tuple[int, str, int | None, str]] = set()
    same: dict[tuple[str, str, str], list[Edit]] = {}
    for edit in _of_module(tree):
        where, (node, *_), (new, *_) = edit.places[0], edit.old, edit.new
        if not _executed(node, lines):
            continue
        before, after = ast.dump(node), ast.dump(new)
        key = (id(where.parent), where.field, where.index, after)
        if before == after or (key in seen and edit.kind != "order"):
            continue
        seen.add(key)
        found.append(edit)
        if edit.kind in EVERYWHERE:
            same.setdefault((edit.kind, before, after), []).append(edit)
        if len(found) == MAX_EDITS:
            break
    found += [_together(each) for each in same.values() if len(each) > 1]
    rank = {kind: place for place, kind in enumerate(ORDER)}
    return sorted(found, key=lambda edit: rank[edit.kind])


def _of_module(tree: ast.Module) -> Iterator[Edit]:
    """Every edit, in the order of the source."""
    for top, statement in enumerate(tree.body):
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            yield from _below(Place(tree, "body", top), statement, Scope.of(tree), frozenset({top}))


EVERYWHERE = frozenset(
    {"constant", "compare", "method", "upcast", "similar name", "scale", "flag", "drop call"}
)
"""Kinds of edits that people may need at several places at once."""


def _together(each: list[Edit]) -> Edit:
    """The same edit at every place."""
    return Edit(
        kind="everywhere",
        places=tuple(edit.places[0] for edit in each),
        old=tuple(edit.old[0] for edit in each),
        new=tuple(edit.new[0] for edit in each),
        top=frozenset(top for edit in each for top in edit.top),
    )


def _executed(node: ast.AST, lines: Collection[int] | None) -> bool:
    line = getattr(node, "lineno", 0)
    if not line or lines is None:
        return bool(line)
    return any(number in lines for number in range(line, getattr(node, "end_lineno", line) + 1))


def _below(place: Place, node: ast.AST, scope: Scope, top: frozenset[int]) -> Iterator[Edit]:
    """The edits of a node and of everything below it."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope = scope.inside(node)
    found: Iterable[Rewrite] = ()
    if isinstance(node, ast.expr):
        found = rewrites(node, scope, place.parent, place.field)
    elif isinstance(node, ast.stmt):
        found = statement_rewrites(node, scope)
    for kind, new in found:
        yield Edit(kind, (place,), (node,), (new,), top)
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED:
            continue
        if isinstance(value, ast.AST):
            yield from _below(Place(node, field, None), value, scope, top)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST) and not _is_fixed(child):
                    yield from _below(Place(node, field, index), child, scope, top)
            yield from _exchanges(node, field, value, top)


_SKIPPED = frozenset({"annotation", "returns", "decorator_list", "type_params", "bases", "ctx"})
"""Fields that compute nothing."""

_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr)


def _is_fixed(node: ast.AST) -> bool:
    """Whether a statement is not the learner's code: a docstring, or the call that counts a
    step."""
    match node:
        case ast.Expr(value=ast.Constant() | ast.Call(func=ast.Name(id="__quizprep_step__"))):
            return True
    return False


def _exchanges(
    parent: ast.AST, field: str, nodes: list[ast.AST], top: frozenset[int]
) -> Iterator[Edit]:
    """Neighbouring statements, exchanged."""
    for index, (one, two) in enumerate(pairwise(nodes)):
        if isinstance(one, _SIMPLE) and isinstance(two, _SIMPLE) and not _is_fixed(one):
            places = (Place(parent, field, index), Place(parent, field, index + 1))
            yield Edit("order", places, (one, two), (two, one), top)
