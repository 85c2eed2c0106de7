"""Were the meters replaced while they were read?

A submission shares its process with the meters, so it can reach them. What it would have to
patch is remembered before it is loaded, and compared when a reading is taken. It is one wall
of several: the readings are also held against work floors and against the witnesses outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Seal:
    """Remembers the attributes of classes and modules."""

    def __init__(self, owners: Iterable[Any]) -> None:
        self._kept = tuple((owner, dict(vars(owner))) for owner in owners)

    def broken(self) -> str:
        """The name of the first attribute that is another object now, or ""."""
        for owner, kept in self._kept:
            now = vars(owner)
            for name, value in kept.items():
                if now.get(name) is not value and not _is_bookkeeping(name):
                    return f"{owner.__name__}.{name}"
        return ""


def _is_bookkeeping(name: str) -> bool:
    """What classes and modules change by themselves."""
    return name.startswith("__") and name not in ("__torch_dispatch__", "__torch_function__")
