"""New content: the texts to begin from, adding a question to its bank, what is left to write.

Wherever the author has to write something the text holds ``MARK``, and the content check refuses
content that still holds it. The new exercise works as it stands: double each row's distance from
its mean. It is small, and yet has a reference, two mistakes that compose, and a cost.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from quizprep.content.library import Exercise
from quizprep.content.loading import shown_path
from quizprep.content.yaml_tree import Mapping, Sequence, Tree, read_tree
from quizprep.errors import Problem, UsageError

MARK = "TODO(author)"
"""Stands where an author has to write; a plain TODO is for the learner, as in a starter."""

KINDS = ("choice", "number", "order", "growth", "cloze", "code", "open")
RUNTIMES = ("torch", "numpy")
_SCAFFOLDS = Path(__file__).parent / "scaffolds"
_FILES = ("exercise.yaml", "README.md", "starter.py", "reference.py", "mistakes.py")


# --- the texts ---------------------------------------------------------------------------------


def new_bank(topic: str) -> str:
    """The head of a bank, without questions."""
    return _rendered("bank.yaml", topic=topic)


def new_question(kind: str, id: str) -> str:
    """A question of a kind; its first line is a list item without indentation."""
    return _rendered("question.yaml", kind=kind, id=id)


def new_exercise(id: str, runtime: str) -> dict[str, str]:
    """The texts of a new exercise by path, relative to the folder that holds exercises."""
    paths = {f"exercises/{id}/{name}": name for name in _FILES}
    paths[f"solutions/{id}.py"] = "solution.py"
    return {
        path: _rendered(f"exercise/{name}", id=id, runtime=runtime) for path, name in paths.items()
    }


def _rendered(name: str, **values: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_SCAFFOLDS),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template(f"{name}.j2").render(values)


# --- the place of a question in its bank -------------------------------------------------------


def with_question(path: Path, text: str, question: str) -> str:
    """The text of a bank with a question added at its end.

    path      for messages
    text      a bank that loads, or the head of one whose list of questions is still empty
    question  its first line begins with ``- `` and is not indented

    Raises UsageError if the end of the list cannot be found, such as in a list written in [ ].
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
    """The line (from 0) before which the question goes, and its indentation."""
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
    """The bank's questions without the new one; None if the text has faults."""
    if tree.faults or not isinstance(tree.root, Mapping):
        return None
    found = tree.root.get("questions")
    return [*found[:-1]] if isinstance(found, Sequence) else None


def _grown(before: Tree) -> list[object]:
    assert isinstance(before.root, Mapping)
    found = before.root.get("questions")
    return [*found] if isinstance(found, Sequence) else []


# --- what is still to be written ---------------------------------------------------------------


def unfinished(path: Path) -> list[Problem]:
    """A problem for each line that holds ``MARK``, with what is to be written there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []  # reported by whatever needs the file
    return [
        Problem(shown_path(path), number, "", f"{_task(line)}; then remove the {MARK}")
        for number, line in enumerate(lines, start=1)
        if MARK in line
    ]


def unfinished_exercise(exercise: Exercise) -> list[Problem]:
    """The same for all files of an exercise and its solution."""
    files = [path for path in sorted(exercise.folder.iterdir()) if path.is_file()]
    return [problem for path in [*files, exercise.solution] for problem in unfinished(path)]


def _task(line: str) -> str:
    said = line.partition(MARK)[2].lstrip(":").strip(" \"'])},.").split("\\n")[0]
    return f"still to be written: {said}" if said else "still to be written"
