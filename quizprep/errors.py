"""What can go wrong for a user, and the exit code each kind gives.

    QuizprepError            something the user can mend; exit code 1
    +-- UsageError           the command line asked for something that is not there; 2
    +-- ContentError         a bank or an exercise is invalid; 3
    +-- MissingExtraError    an optional dependency is not installed; 2
    +-- StoreError           the review database cannot be read or written; 1

Anything else that escapes is our own fault and ends with ExitCode.INTERNAL.
"""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """The exit codes of every command."""

    PASSED = 0
    NOT_PASSED = 1
    USAGE = 2
    CONTENT = 3
    INTERNAL = 4


class QuizprepError(Exception):
    """An error the user can act on: what is wrong, and a hint that says what to do."""

    exit_code = ExitCode.NOT_PASSED

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(QuizprepError):
    """The command line names something that does not exist or does not fit."""

    exit_code = ExitCode.USAGE


class MissingExtraError(UsageError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.",
            hint=f"Install them with: pip install 'quizprep[{extra}]'",
        )


class StoreError(QuizprepError):
    """The review database cannot be opened, read or written."""


class ContentError(QuizprepError):
    """One or more problems in a bank or an exercise, each with its place."""

    exit_code = ExitCode.CONTENT

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Problem:
    """One fault in a content file: where it is, what is wrong, what to write instead."""

    __slots__ = ("field", "file", "line", "message")

    def __init__(self, file: str, line: int | None, field: str, message: str) -> None:
        self.file = file
        self.line = line
        self.field = field
        self.message = message

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return (
            f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"
        )
