"""Meters: what is measured while a submission runs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any


class MeterKind(enum.StrEnum):
    """What is counted. ``elementwise`` work counts towards the limit of ``flops``."""

    FLOPS = "flops"
    PEAK_BYTES = "peak_bytes"
    HELD_BYTES = "held_bytes"
    MOVED_BYTES = "moved_bytes"
    CALLS = "calls"
    ELEMENTWISE = "elementwise"

    @property
    def unit(self) -> str:
        """The unit of its readings."""
        return {self.FLOPS: "flops", self.CALLS: "calls", self.ELEMENTWISE: "operations"}.get(
            self, "bytes"
        )


LIMITED = tuple(kind for kind in MeterKind if kind is not MeterKind.ELEMENTWISE)
"""The kinds that a contract may limit, in the order of the report."""


class Meter:
    """A kind of meter in one phase of a script of calls; the phase is "" where there is no script.

    Its text, ``flops`` or ``append.peak_bytes``, is used in files and in the JSON of a verdict.
    """

    __slots__ = ("kind", "phase")

    def __init__(self, kind: MeterKind | str, phase: str = "") -> None:
        """Raises ValueError for an unknown kind."""
        self.kind = MeterKind(kind)
        self.phase = phase

    @staticmethod
    def parse(text: str) -> Meter:
        """The meter of a text; raises ValueError for an unknown kind."""
        phase, _, kind = text.rpartition(".")
        return Meter(kind, phase)

    @property
    def title(self) -> str:
        """The meter in words: ``append peak bytes``."""
        kind = "element-wise" if self.kind is MeterKind.ELEMENTWISE else self.kind.replace("_", " ")
        return f"{self.phase} {kind}".strip()

    def of(self, kind: MeterKind) -> Meter:
        """The meter of another kind in the same phase."""
        return Meter(kind, self.phase)

    def __str__(self) -> str:
        return f"{self.phase}.{self.kind}" if self.phase else str(self.kind)

    def __repr__(self) -> str:
        return f"Meter({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Meter) and (self.kind, self.phase) == (other.kind, other.phase)

    def __hash__(self) -> int:
        return hash((self.kind, self.phase))


def by_meter(readings: Mapping[str, int]) -> dict[Meter, int]:
    """Readings by meter. A submission's process may report others; these are left out."""
    kinds = {str(kind) for kind in MeterKind}
    return {
        Meter.parse(text): value
        for text, value in readings.items()
        if text.rpartition(".")[2] in kinds
    }


def to_text(value: Any) -> str:
    """How msgspec writes a meter (``enc_hook``)."""
    if isinstance(value, Meter):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} is no part of a message")


def from_text(kind: type, text: Any) -> Meter:
    """How msgspec reads a meter (``dec_hook``); raises ValueError for any other text."""
    if kind is Meter:
        return Meter.parse(str(text))
    raise NotImplementedError(f"{kind.__name__} is no part of a message")
