"""JSON Schemas of what authors write, so that an editor completes fields and marks errors.

They are made of the types that load the content, and written beside it by ``quizprep new``; the
first line of a new file names its schema for editors that speak YAML's language server.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from quizprep.content.cheat import CheatContent
from quizprep.content.exercises import ExerciseSpec
from quizprep.content.questions import Bank

FOLDER = "schemas"
"""Beside ``questions`` and ``exercises``, or beside the banks of a folder of banks only."""

TYPES = {"bank": Bank, "exercise": ExerciseSpec, "cheat": CheatContent}


def schema_text(kind: str) -> str:
    """The schema of a kind of file, as JSON."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(TYPES[kind]),
    }
    return json.dumps(schema, indent=1) + "\n"


def schema_files() -> dict[str, str]:
    """All schemas, by the name of the file in ``FOLDER``."""
    return {f"{kind}.schema.json": schema_text(kind) for kind in TYPES}


def modeline(kind: str, file: Path, root: Path) -> str:
    """The first line of a file under ``root`` that names its schema."""
    up = "../" * (len(file.relative_to(root).parts) - 1)
    return f"# yaml-language-server: $schema={up}{FOLDER}/{kind}.schema.json\n"
