"""The letters that stand before options and steps, and replies made of them."""

from __future__ import annotations

import re

_FILLERS = {"and", "then", "option", "options", "answer", "only", "just"}
_SEPARATORS = re.compile(r"[\s,;.:/&+>()\[\]→-]+")


def label(row: int) -> str:
    """``a`` for the first row."""
    return chr(ord("a") + row)


def read_labels(text: str, count: int) -> list[int] | None:
    """The rows (from 0) that a reply names by letter or number, in its order.

    ``a, c``, ``A C``, ``ac``, ``1 3`` and ``13`` are read alike; None where a part is none of
    the count labels or one is named twice.
    """
    parts = [part for part in _SEPARATORS.split(text.casefold()) if part and part not in _FILLERS]
    rows: list[int] = []
    for part in parts:
        for character in part:
            row = _row(character)
            if row is None or not 0 <= row < count or row in rows:
                return None
            rows.append(row)
    return rows or None


def _row(character: str) -> int | None:
    if "a" <= character <= "z":
        return ord(character) - ord("a")
    return int(character) - 1 if character in "123456789" else None
