"""Files that were read before, kept as they were decoded, so that YAML is read once an edit.

An entry holds the very bytes of the file it was made from, and a stamp of the code that read
them: it is used only where both are the same, so it can be neither stale nor mistaken for
another file's. It is never needed: whatever is wrong with it, the file is read.

What is shipped has its entries built beforehand (``prebuild``, by the build of the wheel), so
that the very first start reads no YAML either.
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
Read = Callable[[Path, type[T]], T]

_MAX_BYTES = 2_000_000


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    stamp: str
    source: bytes
    content: msgspec.Raw


def cached(path: Path, kind: type[T], folder: Path, read: Read[T]) -> T:
    """The content of a file: prebuilt, from the cache in a folder, or read and put there."""
    source = _bytes(path)
    if source is None:
        return read(path, kind)
    own = folder / f"{path.stem}-{zlib.crc32(str(path.resolve()).encode()):08x}.msgpack"
    for place in (_prebuilt(path), own):
        try:
            entry = msgspec.msgpack.decode(place.read_bytes(), type=_Entry)
            if entry.stamp == _stamp() and entry.source == source:
                return msgspec.msgpack.decode(entry.content, type=kind)
        except (OSError, msgspec.MsgspecError):
            pass  # no entry, or a damaged one: it is made anew
    content = read(path, kind)
    # Read again: what was read may be newer than the bytes above.
    if _bytes(path) == source:
        _put(own, source, content)
    return content


def prebuild(path: Path, content: object) -> None:
    """Keep the content of a shipped file with the program."""
    source = _bytes(path)
    if source is not None:
        _put(_prebuilt(path), source, content)


def _prebuilt(path: Path) -> Path:
    """Where the entry of a shipped file lies; one of another folder is told by its bytes."""
    return Path(quizprep.__file__).parent / "_decoded" / f"{path.parent.name}-{path.stem}.msgpack"


def _bytes(path: Path) -> bytes | None:
    """The bytes of a regular file of sensible size; the reader says what is wrong with others."""
    try:
        if path.is_file() and path.stat().st_size <= _MAX_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    return None


def _put(place: Path, source: bytes, content: object) -> None:
    """Write by renaming, so that another process never sees half of it."""
    entry = _Entry(_stamp(), source, msgspec.Raw(msgspec.msgpack.encode(content)))
    beside = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.msgpack.encode(entry))
        beside.replace(place)
    except OSError:
        beside.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def _stamp() -> str:
    """The version and a sum of the code that reads content: the same wherever it is installed."""
    total = 0
    for file in sorted(Path(__file__).parent.glob("*.py")):
        total = zlib.crc32(file.read_bytes(), total)
    return f"{quizprep.__version__} {total:08x}"
