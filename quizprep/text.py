"""Small rules of writing that every face shares."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``1 day``, ``2 days``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def printable(text: str, keep: str = "") -> str:
    """Without control characters, so that what somebody else wrote cannot steer a terminal or
    spoil a file; those in ``keep``, such as a line break, stay."""
    return "".join(c if c.isprintable() or c in keep else "?" for c in text)


def mebibytes(size: int) -> str:
    """A number of bytes for a person."""
    return f"{size / (1 << 20):.1f} MiB"
