"""A small course: who hands in what, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.imports import ROOT

RIGHT = (ROOT / "solutions" / "softmax.py").read_text(encoding="utf-8")
WRONG = "import numpy as np\ndef softmax(x, axis=-1):\n    return np.exp(x)\n"
KILLER = "import os\ndef softmax(x, axis=-1):\n    os._exit({})\n"


def hand_in(folder: Path, **files: str) -> None:
    """Write ``softmax.py`` for each student."""
    for student, source in files.items():
        (folder / student).mkdir(parents=True, exist_ok=True)
        (folder / student / "softmax.py").write_text(source, encoding="utf-8")


def students(output: str) -> dict[str, dict[str, Any]]:
    """The students of ``--format json`` by name, each with its exercises by id."""
    return {
        student["student"]: {each["exercise"]: each for each in student["exercises"]}
        for student in json.loads(output)["students"]
    }
