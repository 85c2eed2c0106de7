"""YAML files to frozen types, with errors that name the file, the line and the field."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from quizprep.content.yaml_tree import Fault, Steps, Tree, read_tree
from quizprep.errors import ContentError, Problem

T = TypeVar("T")

MAX_BYTES = 2_000_000
"""A larger file is refused unread; no bank comes near it."""
MAX_PROBLEMS = 100

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


def load_file(path: Path, kind: type[T]) -> T:
    """The content of a file as the given type.

    Raises ContentError: with one problem where the file cannot be read or is not YAML, else with
    all of them: duplicate keys and ids, ambiguous scalars, unknown and missing fields, and values
    of a wrong type.
    """
    tree = read_file(path)
    faults = list(tree.faults)
    refusal = ""
    if not faults:
        try:
            return msgspec.convert(tree.root, kind, strict=True)
        except msgspec.ValidationError as error:
            refusal = str(error)
    # Only a faulty file pays for the type check, which says more than msgspec.
    from quizprep.content.typecheck import mismatches

    if tree.complete:
        faults += mismatches(tree, kind)
    raise ContentError(located(path, tree, faults or [Fault((), 1, refusal)]))


def read_file(path: Path) -> Tree:
    """The tree of a file, with the faults of its YAML; raises ContentError if unreadable."""
    return read_tree(_text(path, _bytes(path)))


def located(path: Path, tree: Tree, faults: list[Fault]) -> list[Problem]:
    """The faults of a file as problems, in the order of its lines."""
    ordered = sorted(faults, key=lambda fault: fault.line)
    shown = [
        Problem(shown_path(path), fault.line, tree.field(fault.steps), fault.message)
        for fault in ordered[:MAX_PROBLEMS]
    ]
    if len(ordered) > MAX_PROBLEMS:
        rest = f"{len(ordered) - MAX_PROBLEMS} more problems are not shown"
        shown.append(Problem(shown_path(path), ordered[MAX_PROBLEMS].line, "", rest))
    return shown


def placed(path: Path, findings: Sequence[tuple[Steps, str]]) -> list[Problem]:
    """Findings in one file with their lines; the file is read again only if there are any."""
    if not findings:
        return []
    tree = read_file(path)
    return located(path, tree, [Fault(steps, tree.line(steps), text) for steps, text in findings])


def shown_path(path: Path) -> str:
    """A path as people write it: relative to the working folder where it is inside that."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _refused(path: Path, message: str, line: int | None = None) -> ContentError:
    return ContentError([Problem(shown_path(path), line, "", message)])


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise _refused(path, "is a folder, not a file; name a .yaml file inside it")
        if not stat.S_ISREG(status.st_mode):
            raise _refused(path, "is not a regular file; copy its content into one")
        if status.st_size <= MAX_BYTES:
            with path.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
            if len(data) <= MAX_BYTES:
                return data
    except FileNotFoundError as error:
        raise _refused(path, "there is no such file; check the name") from error
    except PermissionError as error:
        raise _refused(path, "may not be read; change its permissions") from error
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise _refused(path, "is not a file name") from error
    limit = MAX_BYTES // 1_000_000
    raise _refused(path, f"is larger than {limit} MB; split it into several banks")


def _text(path: Path, data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refused(path, "is UTF-16, not UTF-8; save it as UTF-8", 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"0x{data[error.start]:02x}"
        raise _refused(path, f"is not UTF-8 (byte {byte}); save it as UTF-8", line) from error
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise _refused(path, f"holds the unprintable character {found[0]!r}; remove it", line)
    return text
