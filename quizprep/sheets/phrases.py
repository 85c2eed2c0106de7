"""Words that every format of a sheet shares."""

from __future__ import annotations

from quizprep.sheets.model import Card

MARKER = "Written by quizprep sheet"
"""Stands in every file we write; a file without it is never overwritten."""

_RULED = {"open": 9, "number": 4, "growth": 3, "code": 3, "order": 1, "cloze": 1}
_KINDS = {
    "choice": "choice", "number": "number", "order": "order", "growth": "growth",
    "cloze": "gap", "code": "code", "open": "spoken",
}  # fmt: skip


def kind_name(kind: str) -> str:
    """What a reader calls a kind of question."""
    return _KINDS.get(kind, kind)


def instruction(card: Card) -> str:
    """What to do, where the question does not say it."""
    if card.kind == "order":
        return "Put these in order."
    if card.several:
        return "More than one may be right."
    return ""


def ruled(kind: str) -> range:
    """Empty lines to write on, under a question of this kind in a printed self-test."""
    return range(_RULED.get(kind, 0))
