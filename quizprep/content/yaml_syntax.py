"""Syntax errors of YAML in an author's terms: the line to look at, and what to do."""

from __future__ import annotations

import re

import yaml

# What libyaml says, and what an author can do about it.
_SYNTAX = (
    ("mapping values are not allowed", "a colon and a space inside unquoted text; quote the text"),
    (
        "could not find expected ':'",
        "this is neither 'key: value' nor part of the text above; check colon and indentation",
    ),
    (
        "did not find expected key",
        "this does not fit here: its indentation matches no field above, or text goes on after "
        "a closing quote",
    ),
    (
        "did not find expected '-' indicator",
        "this does not fit here: its indentation matches no field and no item above",
    ),
    ("did not find expected ',' or ']'", "the list in [ ] is not closed; write , or ]"),
    ("did not find expected ',' or '}'", "the mapping in { } is not closed; write , or }"),
    (
        "unknown escape character",
        "in double quotes a backslash begins an escape; use single quotes or a block (|)",
    ),
    (
        "did not find expected hexdecimal number",
        "in double quotes a backslash begins an escape; use single quotes or a block (|)",
    ),
    (
        "cannot start any token",
        "a text cannot begin with this character; quote the text",
    ),
    (
        "block sequence entries are not allowed",
        "a list item cannot stand here; begin the list on a line of its own",
    ),
    (
        "unexpected end of stream",
        "the text that begins here is never closed; is the file cut off?",
    ),
    (
        "unexpected document indicator",
        "the text that begins here is never closed; is the file cut off?",
    ),
)


def syntax_fault(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line and the advice for an error of the YAML reader."""
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    lines = text.splitlines() or [""]
    row = min(mark.line if mark is not None else 0, len(lines) - 1)
    start = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
    if "\t" in start:
        return row + 1, "is indented with a tab; YAML allows only spaces"
    for phrase, advice in _SYNTAX:
        if phrase not in problem:
            continue
        begins_before = "never closed" in advice or (
            "not closed" in advice and _NEXT_FIELD.match(lines[row])
        )
        if begins_before and context_mark is not None:
            row = min(context_mark.line, len(lines) - 1)
        elif row == len(lines) - 1 and "cut off" not in advice:
            advice = f"{advice}; is the file cut off?"
        return row + 1, f"is not valid YAML: {advice}"
    return row + 1, f"is not valid YAML: {problem}"


_NEXT_FIELD = re.compile(r"\s*(- |[\w-]+:(\s|$))")
