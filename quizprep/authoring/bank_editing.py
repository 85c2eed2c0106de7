"""Append a question to a bank's text without touching what is there."""

from __future__ import annotations

import textwrap
from pathlib import Path

from quizprep.content.yaml_tree import Mapping, Sequence, Tree, read_tree
from quizprep.errors import UsageError


def with_question(path: Path, text: str, question: str) -> str:
    """The text of a bank with a question behind its last one.

    path      for messages
    text      a bank that loads, or the head of one whose list of questions is still empty
    question  its first line begins with ``- `` and is not indented

    Raises UsageError where the place cannot be told, such as in a list written in [ ].
    """
    lines = text.splitlines(keepends=True)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    before = read_tree(text)
    place, indent = _place(before, lines)
    added = [f"{line}{ending}" for line in textwrap.indent(question, indent).splitlines()]
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += ending
    result = "".join([*lines[:place], *added, *lines[place:]])
    if _grown(before) != _questions(read_tree(result)):
        raise UsageError(
            f"{path} writes its questions in a way that cannot be added to.",
            hint="Write them as a list, each item begun with '- ', then try again.",
        )
    return result


def _place(tree: Tree, lines: list[str]) -> tuple[int, str]:
    """Before which line (from 0) the question comes, and its indentation."""
    root = tree.root
    assert isinstance(root, Mapping)
    questions = root.get("questions")
    begins = root.lines["questions"]
    later = [line for line in root.lines.values() if line > begins]
    end = min(later) - 1 if later else len(lines)
    # Comments and empty lines above the next field belong to it.
    while end > begins and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    if not isinstance(questions, Sequence):
        return end, "  "
    first = lines[questions.lines[0] - 1]
    return end, first[: len(first) - len(first.lstrip())]


def _questions(tree: Tree) -> list[object] | None:
    """What the list of questions holds but for the new one; None where there are faults."""
    if tree.faults or not isinstance(tree.root, Mapping):
        return None
    found = tree.root.get("questions")
    return [*found[:-1]] if isinstance(found, Sequence) else None


def _grown(before: Tree) -> list[object]:
    assert isinstance(before.root, Mapping)
    found = before.root.get("questions")
    return [*found] if isinstance(found, Sequence) else []
