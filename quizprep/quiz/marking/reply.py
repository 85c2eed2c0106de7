"""What marking a reply gives: a mark, or that it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """How good a reply was.

    score  from 0 (wrong) to 1 (right); in between is partial credit
    says   the reasons, as sentences for the learner
    trap   the explanation of the trap that the reply fell into, if any
    """

    score: float
    says: tuple[str, ...] = ()
    trap: str | None = None

    @property
    def right(self) -> bool:
        return self.score >= 1


@dataclass(frozen=True)
class Invalid:
    """The reply could not be read; it costs nothing. ``expected`` says what to type."""

    expected: str
