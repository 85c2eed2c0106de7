"""Code: what a snippet prints. White space, quotes and case do not matter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quizprep.content.draws import fill
from quizprep.content.questions import Code, Scalar
from quizprep.quiz.marking.mark import Invalid, Mark

_INNER = re.compile(r"(?<=\w)\s+(?=[\w-])")


def mark(question: Code, values: Mapping[str, Scalar], reply: str) -> Mark | Invalid:
    """1 for what is printed, 0 for anything else; several lines may be typed as one."""
    printed = same_output(reply)
    if not printed:
        return Invalid("Type what the snippet prints.")
    if printed == same_output(question.prints):
        return Mark(1.0)
    for trap in question.traps:
        if printed == same_output(trap.gives):
            return Mark(0.0, (), fill(trap.says, question, values).strip())
    return Mark(0.0, ("That is not what it prints.",))


def same_output(text: str) -> str:
    """One spelling for outputs that people would call the same: ``[1, 2]`` and ``[1,2]``."""
    unquoted = re.sub(r"[\"'`]", "", text.replace("\\n", "\n")).strip().casefold()
    return re.sub(r"[^\S\x1f]+", "", _INNER.sub("\x1f", unquoted))
