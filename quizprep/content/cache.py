"""A cache of decoded content files, so that YAML is parsed only once after each edit.

An entry holds the bytes of the file it was made from and a checksum of the code that decoded
them. It is used only where both match, so it can be neither stale nor another file's. Whatever
is wrong with an entry, the file itself is read.

The build of the wheel makes the entries of what is shipped (``prebuild``), so that the first
start parses no YAML either.
"""

from __future__ import annotations

import contextlib
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
    """The content of a file: from its prebuilt entry, from the cache in a folder, or from the file
    itself, which is then cached."""
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
            pass  # no entry, or a damaged one: write it again
    content = read(path, kind)
    # The file may have changed between the two reads.
    if _bytes(path) == source:
        _put(own, source, content)
    return content


def prebuild(path: Path, content: object) -> None:
    """Write the entry of a shipped file into the package."""
    source = _bytes(path)
    if source is not None:
        _put(_prebuilt(path), source, content)


def _prebuilt(path: Path) -> Path:
    """The entry of a shipped file. A file of the same name elsewhere holds other bytes."""
    return Path(quizprep.__file__).parent / "_decoded" / f"{path.parent.name}-{path.stem}.msgpack"


def _bytes(path: Path) -> bytes | None:
    """The bytes of a regular file of sensible size; for others None, and ``read`` reports them."""
    try:
        if path.is_file() and path.stat().st_size <= _MAX_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    return None


def _put(place: Path, source: bytes, content: object) -> None:
    # Slow to import, and most starts write nothing.
    from quizprep.files import replace_file

    entry = _Entry(_stamp(), source, msgspec.Raw(msgspec.msgpack.encode(content)))
    with contextlib.suppress(OSError):  # without a cache, files are read
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, msgspec.msgpack.encode(entry))


@lru_cache(maxsize=1)
def _stamp() -> str:
    """The version and a checksum of the code that decodes: the same wherever it is installed."""
    total = 0
    for file in sorted(Path(__file__).parent.glob("*.py")):
        total = zlib.crc32(file.read_bytes(), total)
    return f"{quizprep.__version__} {total:08x}"
