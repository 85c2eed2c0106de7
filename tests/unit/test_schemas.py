"""The schemas for editors accept what is shipped, and mark what the loader would refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from quizprep.authoring.schemas import modeline, schema_text
from quizprep.content.library import CHEAT, Library, shipped_root

SHIPPED = Library(shipped_root())


def files() -> Iterator[tuple[str, Path]]:
    for topic in SHIPPED.topics:
        yield "bank", SHIPPED.question_folder / f"{topic}.yaml"
    for name in SHIPPED.exercise_ids:
        yield "exercise", SHIPPED.exercise(name).folder / "exercise.yaml"
    yield "cheat", SHIPPED.question_folder / CHEAT


def faults(kind: str, content: Any) -> list[str]:
    validator = Draft202012Validator(json.loads(schema_text(kind)))
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(content)]


@pytest.mark.parametrize("file", [*files()], ids=lambda file: file[1].parent.name + file[1].stem)
def test_what_is_shipped_has_no_fault(file: tuple[str, Path]) -> None:
    kind, path = file
    assert faults(kind, yaml.safe_load(path.read_text(encoding="utf-8"))) == []


def test_what_the_loader_refuses_is_marked() -> None:
    """An unknown field, a missing one, and a value of the wrong kind."""
    path = SHIPPED.question_folder / f"{SHIPPED.topics[0]}.yaml"
    bank = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert faults("bank", {**bank, "titel": "x"})
    assert faults("bank", {name: value for name, value in bank.items() if name != "title"})
    assert faults("bank", {**bank, "questions": "none"})


def test_a_file_names_its_schema_from_where_it_lies() -> None:
    root = Path("mine")
    line = modeline("exercise", root / "exercises" / "x" / "exercise.yaml", root)
    assert line == "# yaml-language-server: $schema=../../schemas/exercise.schema.json\n"
    assert "$schema=schemas/bank" in modeline("bank", root / "x.yaml", root)
