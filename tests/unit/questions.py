"""Questions for the tests, made from what a bank would hold."""

from __future__ import annotations

from typing import Any

import msgspec

from quizprep.content.questions import Question


def question(kind: str, **fields: Any) -> Any:
    """A question of a kind; what every question needs is filled in."""
    raw = {
        "id": "q", "kind": kind, "level": "junior", "concepts": ["c"], "ask": "What?",
        "why": "So.", "sources": ["s"], **fields,
    }  # fmt: skip
    return msgspec.convert(raw, Question)
