"""What grading returns; also, field by field, what ``--json`` prints."""

from __future__ import annotations

from typing import Literal

import msgspec

from quizprep.grading.wire import Params, Raised, Status


class _Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Frozen; fields at their default are left out of JSON."""


class CaseVerdict(_Part, frozen=True, kw_only=True):
    """One correctness case."""

    params: Params
    dtype: str
    layout: str
    status: Status
    magnitude: float = 1.0
    fresh: bool = False
    message: str = ""
    raised: Raised | None = None


class NamedMistake(_Part, frozen=True, kw_only=True):
    """A mistake the submission makes."""

    id: str
    says: str
    concept: str


class ReadingVerdict(_Part, frozen=True, kw_only=True):
    """One meter: its formula, its growth, and what the contract asks.

    largest and solution are the readings at the largest size, of the submission and of the
    solution; units are bytes, or operations.
    """

    meter: str
    status: Status
    formula: str = ""
    growth: str = ""
    required: str = ""
    message: str = ""
    largest: int | None = None
    solution: int | None = None
    solution_formula: str = ""
    difference: str = ""
    """What sets this formula apart from the solution's, in a sentence."""


class WitnessVerdict(_Part, frozen=True, kw_only=True):
    """Resident growth of the process over one call against what the meters said; bytes."""

    status: Status
    resident: int = 0
    metered: int = 0
    message: str = ""


class Stage(_Part, frozen=True, kw_only=True):
    """One stage; which of the optional fields it has depends on its name."""

    name: str
    status: Status
    message: str = ""
    raised: Raised | None = None
    cases: tuple[CaseVerdict, ...] = ()
    where: str = ""
    mistakes: tuple[NamedMistake, ...] = ()
    unexplained: bool = False
    """Outputs are wrong, and no mistake that the exercise knows gives them."""
    readings: tuple[ReadingVerdict, ...] = ()
    witness: WitnessVerdict | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one grading."""

    format: Literal[1] = 1
    exercise: str
    passed: bool
    confined: bool
    seed: int
    stages: tuple[Stage, ...]
    unconfined: tuple[str, ...] = ()
    printed: str = ""

    def stage(self, name: str) -> Stage:
        """The stage of that name."""
        return next(stage for stage in self.stages if stage.name == name)

    @property
    def mistakes(self) -> tuple[NamedMistake, ...]:
        """The mistakes that were named."""
        return self.stage("diagnosis").mistakes

    def json(self) -> bytes:
        """One JSON object, stable in its fields."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1)
