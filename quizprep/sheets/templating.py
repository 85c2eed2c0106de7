"""The environment of the templates, and what all formats share."""

from __future__ import annotations

from html import escape
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from quizprep.text import counted

MARKER = "Written by quizprep sheet"
"""Stands in every file we write; a file without it is never overwritten."""
TEMPLATES = Path(__file__).parent / "templates"


def environment(autoescape: bool, folder: Path = TEMPLATES) -> Environment:
    """The templates of a folder; an unknown name is an error, and tags leave no empty lines."""
    made = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals |= {"marker": MARKER, "counted": counted}
    made.filters["verbatim"] = verbatim
    return made


def verbatim(text: str) -> Markup:
    """Text between tags of HTML or SVG, where quotation marks stay as they are."""
    return Markup(escape(text, quote=False))
