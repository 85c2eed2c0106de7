"""Banks that were read before, kept as they were decoded, so that YAML is read once an edit.

An entry holds the very bytes of the file it was made from, and a stamp of the code that read
them: it is used only where both are the same, so it can be neither stale nor mistaken for
another file's. It is never needed: whatever is wrong with it, the file is read.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

import quizprep

T = TypeVar("T")

_MAX_BYTES = 2_000_000


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    stamp: str
    source: bytes
    content: msgspec.Raw


def cached(path: Path, kind: type[T], folder: Path, read: Callable[[Path, type[T]], T]) -> T:
    """The content of a file, from the cache in a folder, or read and put there."""
    source = _bytes(path)
    if source is None:
        return read(path, kind)
    place = folder / f"{path.stem}-{zlib.crc32(str(path.resolve()).encode()):08x}.msgpack"
    try:
        entry = msgspec.msgpack.decode(place.read_bytes(), type=_Entry)
        if entry.stamp == _stamp() and entry.source == source:
            return msgspec.msgpack.decode(entry.content, type=kind)
    except (OSError, msgspec.MsgspecError):
        pass  # no entry, or a damaged one: it is made anew
    content = read(path, kind)
    # Read again: what was read may be newer than the bytes above.
    if _bytes(path) == source:
        _put(place, _Entry(_stamp(), source, msgspec.Raw(msgspec.msgpack.encode(content))))
    return content


def _bytes(path: Path) -> bytes | None:
    """The bytes of a regular file of sensible size; the reader says what is wrong with others."""
    try:
        if path.is_file() and path.stat().st_size <= _MAX_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    return None


def _put(place: Path, entry: _Entry) -> None:
    """Write by renaming, so that another process never sees half of it."""
    beside = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.msgpack.encode(entry))
        beside.replace(place)
    except OSError:
        beside.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _stamp() -> str:
    """The version, and when the code that reads content was last changed."""
    changed = max(file.stat().st_mtime_ns for file in Path(__file__).parent.glob("*.py"))
    return f"{quizprep.__version__} {changed}"
