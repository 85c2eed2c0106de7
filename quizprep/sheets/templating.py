"""The environment of the templates, and the words that all formats share."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from quizprep.sheets.files import MARKER
from quizprep.sheets.model import Card
from quizprep.text import counted

TEMPLATES = Path(__file__).parent / "templates"

_RULED = {"open": 9, "number": 4, "growth": 3, "code": 3, "order": 1, "cloze": 1}
_KINDS = {"cloze": "gap", "open": "spoken"}
"""What readers call a kind of question, where it is not its own name."""


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
        "marker": MARKER,
        "kind_name": lambda kind: _KINDS.get(kind, kind),
        "counted": counted,
        "instruction": instruction,
        "ruled": ruled,
    }
    return made


def instruction(card: Card) -> str:
    """What the learner is to do, where the question does not say so."""
    if card.kind == "order":
        return "Put these in order."
    if card.several:
        return "More than one may be right."
    return ""


def ruled(kind: str) -> range:
    """The lines to write on under a question of this kind in a printed self-test."""
    return range(_RULED.get(kind, 0))
