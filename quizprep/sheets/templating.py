"""The templates' common ground."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from quizprep.sheets import phrases
from quizprep.text import counted

TEMPLATES = Path(__file__).parent / "templates"


def environment(autoescape: bool) -> Environment:
    """An environment in which an unknown name is an error and tags leave no empty lines."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {
        "kind_name": phrases.kind_name,
        "counted": counted,
        "instruction": phrases.instruction,
    }
    return made
