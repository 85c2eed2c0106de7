"""Plain scalars: which value an unquoted text has, and which texts are refused.

YAML 1.1 and 1.2 read ``no``, ``12:30``, ``1e3``, ``017`` and dates differently. Such a text has
no value here: its author quotes it, or writes what is meant.
"""

from __future__ import annotations

import re
from typing import Any

MAX_DIGITS = 40

SPECIAL_STARTS = frozenset("0123456789+-.~tTfFnNyYoO")
"""With which characters a text may begin that is no plain text; all others need no look."""
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = frozenset(("", "~", "null", "Null", "NULL"))
_OLD_TRUTH = re.compile(r"(yes|on)|no|off", re.IGNORECASE)
_CLOCK = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_EXPONENT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)[eE][-+]?[0-9]{1,6}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?")
_ODD_NUMBER = re.compile(
    r"[-+]?(0[0-7_]+|0[0-9]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+"
    r"|0[0-9]+\.[0-9]*)|[-+]?\.(inf|nan)",
    re.IGNORECASE,
)


def resolve(value: str) -> tuple[Any, str | None]:
    """A plain scalar's value, or why it cannot be taken."""
    if value in _NOTHING:
        return None, None
    if value in _TRUTHS:
        return _TRUTHS[value], None
    if _WHOLE.fullmatch(value) or _DECIMAL.fullmatch(value):
        if len(value) > MAX_DIGITS:
            return None, f"is a number of more than {MAX_DIGITS} digits"
        return (float(value) if "." in value else int(value)), None
    return value, _surprise(value)


def _surprise(value: str) -> str | None:
    quoted = f'"{value}"'
    if truth := _OLD_TRUTH.fullmatch(value):
        word = "true" if truth[1] else "false"
        return f"{value} means {word} to many YAML readers; quote it: {quoted}, or write {word}"
    if _CLOCK.fullmatch(value):
        return f"{value} is the number {_base_60(value)} to many YAML readers; quote it: {quoted}"
    if _EXPONENT.fullmatch(value):
        return (
            f"{value} is text to some YAML readers and a number to others; "
            f"write the number out, or quote it: {quoted}"
        )
    if _DATE.fullmatch(value):
        return f"{value} is a date to many YAML readers; quote it: {quoted}"
    if _ODD_NUMBER.fullmatch(value):
        return (
            f"{value} is not read alike by all YAML readers; "
            f"write a plain decimal number, or quote it: {quoted}"
        )
    return None


def _base_60(value: str) -> str:
    total = 0.0
    for digits in value.lstrip("+-").replace("_", "").split(":"):
        total = total * 60 + float(digits)
    return f"{-total if value.startswith('-') else total:.10g}"
