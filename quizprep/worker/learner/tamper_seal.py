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
            for name in kept.keys() | now.keys():
                same = now.get(name) is kept.get(name)
                if not same and not _is_bookkeeping(name) and _was_there(owner, name, kept):
                    return f"{owner.__name__}.{name}"
        return ""


def _was_there(owner: Any, name: str, kept: dict[str, Any]) -> bool:
    """Whether the name meant something before: as an attribute, or as an inherited one."""
    bases = owner.__mro__[1:] if isinstance(owner, type) else ()
    return name in kept or any(name in vars(base) for base in bases)


def _is_bookkeeping(name: str) -> bool:
    """What classes and modules change by themselves."""
    return name.startswith("__") and name not in ("__torch_dispatch__", "__torch_function__")
