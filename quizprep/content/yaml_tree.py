"""YAML text to plain values that remember their lines, with no surprises.

A strict subset of YAML is read: one document, no tags, anchors or merge keys, text keys, and
plain scalars that every YAML reader takes for the same thing. Whatever some reader would take
for something else (``no``, ``12:30``, ``1e3``, ``017``, a date) is a fault with a line and the
way to write it. The tree is built from libyaml's events, which takes a third of the time of
``yaml.load`` and shows duplicate keys, which ``yaml.load`` drops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from quizprep.content.yaml_syntax import syntax_fault

MAX_DEPTH = 20
MAX_DIGITS = 40
SPARE = "\0"
"""The first character of the keys made up for values whose own key is faulty; no file holds it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")

_SPECIAL_STARTS = frozenset("0123456789+-.~tTfFnNyYoO")
"""The first characters of unquoted scalars that some YAML reader may not take for text."""
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = frozenset(("", "~", "null", "Null", "NULL"))
_OLD_TRUTH = re.compile(r"(yes|on)|no|off", re.IGNORECASE)
_CLOCK = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_EXPONENT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)[eE][-+]?[0-9]{1,6}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?")
_ODD_NUMBER = re.compile(
    r"[-+]?(0[0-7_]+|0[0-9]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+"
    r"|0[0-9]+\.[0-9]*)|[-+]?\.(inf|nan)",
    re.IGNORECASE,
)

Step = str | int
Steps = tuple[Step, ...]
Finding = tuple[Steps, str]
"""A field of a content file and what to write instead."""


class Mapping(dict[str, Any]):
    """A mapping with the line it begins on and the line of each key (1 is the first)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Sequence(list[Any]):
    """A list with the line it begins on and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class _Faulty:
    """In place of a value that has a fault already, so that no second one is reported."""


FAULTY = _Faulty()


@dataclass(frozen=True)
class Fault:
    """Something wrong in a file: its field, its line, and what to write instead."""

    steps: Steps
    line: int
    message: str


@dataclass(frozen=True)
class Tree:
    """What a file holds.

    ``complete`` is False where a fault stopped the reading; ``root`` then holds what came before.
    """

    root: Any
    faults: tuple[Fault, ...]
    complete: bool = True

    def line(self, steps: Steps) -> int:
        """The line of a field; where it is missing, the line of what should hold it."""
        node, line = self.root, 1
        for step in steps:
            if isinstance(node, Mapping) and step in node:
                line, node = node.lines[str(step)], node[str(step)]
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node):
                line, node = node.lines[step], node[step]
            else:
                return node.line if isinstance(node, Mapping | Sequence) else line
        return line

    def field(self, steps: Steps) -> str:
        """A field in words: ``questions[3] (kv-bytes-per-token).level``."""
        words, node = "", self.root
        for step in steps:
            if isinstance(step, str) and step.startswith(SPARE):
                break
            words += f"[{step}]" if isinstance(step, int) else f".{step}"
            try:
                node = node[step]
            except (LookupError, TypeError):
                node = None
            if isinstance(step, int) and isinstance(node, Mapping) and _has_id(node):
                words += f" ({node['id']})"
        return words.removeprefix(".")


def _has_id(node: object) -> bool:
    return isinstance(node, Mapping) and isinstance(node.get("id"), str)


def read_tree(text: str) -> Tree:
    """The tree of a text. Never raises; a fault that stops the reading is the last in the list."""
    return _Builder().build(text)


@dataclass
class _Frame:
    """A container that is being filled.

    ``key`` waits for its value; ``step`` leads from the container to what is read now.
    """

    node: Mapping | Sequence
    key: str | None = None
    key_line: int = 0
    step: Step | None = None
    spare: int = 0


class _Stop(Exception):
    """Reading cannot go on; the fault is noted."""


@dataclass
class _Builder:
    faults: list[Fault] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    root: Any = None
    documents: int = 0

    def build(self, text: str) -> Tree:
        complete = False
        try:
            for event in yaml.parse(text, Loader=_Loader):
                self._take(event)
            if self.documents:
                complete = True
            else:
                self.faults.append(Fault((), 1, "is empty; a bank begins with 'format: 1'"))
        except yaml.YAMLError as error:
            self.faults.append(Fault(self._steps(), *syntax_fault(error, text)))
        except _Stop:
            pass
        return Tree(self.root, tuple(self.faults), complete)

    def _steps(self) -> Steps:
        return tuple(frame.step for frame in self.stack if frame.step is not None)

    def _fault(self, event: Any, message: str) -> None:
        self.faults.append(Fault(self._steps(), event.start_mark.line + 1, message))

    def _take(self, event: Any) -> None:
        kind = type(event)
        if self.stack and kind not in _CLOSING:
            top = self.stack[-1]
            top.step = len(top.node) if isinstance(top.node, Sequence) else top.key
        if kind is yaml.ScalarEvent:
            if event.anchor is not None or event.tag is not None:
                self._refuse_marks(event)
            self._put(self._scalar(event), event)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            self._open(event)
        elif kind in _CLOSING:
            frame = self.stack.pop()
            if isinstance(frame.node, Sequence):
                self._check_ids(frame.node)
        elif kind is yaml.AliasEvent:
            self._fault(
                event,
                f"*{event.anchor} is an alias, which is not used here; write the value out, "
                "or quote a text that begins with *",
            )
            self._put(FAULTY, event)
        elif kind is yaml.DocumentStartEvent:
            self.documents += 1
            if self.documents > 1:
                self._fault(event, "begins a second document; a file holds one, so remove the ---")
                raise _Stop

    def _refuse_marks(self, event: Any) -> None:
        if event.anchor is not None:
            self._fault(
                event,
                f"&{event.anchor} is an anchor, which is not used here; write the value out, "
                "or quote a text that begins with &",
            )
        if event.tag is not None:
            self._fault(
                event,
                f"{event.tag.replace('tag:yaml.org,2002:', '!!')} is a tag, which is not allowed; "
                "remove it, or quote a text that begins with !",
            )

    def _open(self, event: Any) -> None:
        if event.anchor is not None or event.tag is not None:
            self._refuse_marks(event)
        if len(self.stack) == MAX_DEPTH:
            self._fault(event, f"is nested more than {MAX_DEPTH} deep; nothing here needs that")
            raise _Stop
        kind = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
        node = kind(event.start_mark.line + 1)
        self._put(node, event)
        self.stack.append(_Frame(node))

    def _put(self, value: Any, event: Any) -> None:
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        node = frame.node
        line = event.start_mark.line + 1
        if isinstance(node, Sequence):
            node.append(value)
            node.lines.append(line)
        elif frame.key is None:
            self._take_key(frame, node, value, event)
        else:
            node[frame.key] = value
            node.lines[frame.key] = frame.key_line
            frame.key = None

    def _take_key(self, frame: _Frame, node: Mapping, key: Any, event: Any) -> None:
        line = event.start_mark.line + 1
        frame.key_line = line
        if isinstance(key, str) and key not in node and key != "<<":
            frame.key = key
            return
        frame.spare += 1
        frame.key = f"{SPARE}{frame.spare}"
        if isinstance(key, str) and key == "<<":
            message = "<< is a merge key, which is not used here; write the fields out"
        elif isinstance(key, str):
            message = f"is written twice, first in line {node.lines[key]}; keep one of them"
        elif isinstance(key, Mapping | Sequence):
            message = "is a key that is not text; quote a text that begins with [, { or ?"
        elif key is FAULTY:
            return
        else:
            message = f"has the key {event.value!r}, which is not text; quote it"
        steps = self._steps()
        self.faults.append(Fault((*steps, key) if isinstance(key, str) else steps, line, message))

    def _scalar(self, event: Any) -> Any:
        value: str = event.value
        if event.style:
            if event.style == '"' and (control := _CONTROL.search(value)):
                self._fault(
                    event,
                    f"holds the control character {control[0]!r}: in double quotes a backslash "
                    "begins an escape; use single quotes or a block (|)",
                )
                return FAULTY
            return value
        if not value or value[0] in _SPECIAL_STARTS:
            resolved, message = _resolve(value)
            if message is not None:
                self._fault(event, message)
                return FAULTY
            return resolved
        return value

    def _check_ids(self, items: Sequence) -> None:
        seen: dict[str, int] = {}
        for place, item in enumerate(items):
            if not _has_id(item):
                continue
            name, line = item["id"], item.lines["id"]
            if name in seen:
                steps = (*self._steps(), place, "id")
                self.faults.append(
                    Fault(steps, line, f"{name} is already the id in line {seen[name]}; ids differ")
                )
            seen.setdefault(name, line)


_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def _resolve(value: str) -> tuple[Any, str | None]:
    """A plain scalar's value, or why it cannot be taken."""
    if value in _NOTHING:
        return None, None
    if value in _TRUTHS:
        return _TRUTHS[value], None
    if _WHOLE.fullmatch(value) or _DECIMAL.fullmatch(value):
        if len(value) > MAX_DIGITS:
            return None, f"is a number of more than {MAX_DIGITS} digits"
        return (float(value) if "." in value else int(value)), None
    return value, _surprise(value)


def _surprise(value: str) -> str | None:
    quoted = f'"{value}"'
    if truth := _OLD_TRUTH.fullmatch(value):
        word = "true" if truth[1] else "false"
        return f"{value} means {word} to many YAML readers; quote it: {quoted}, or write {word}"
    if _CLOCK.fullmatch(value):
        return f"{value} is the number {_base_60(value)} to many YAML readers; quote it: {quoted}"
    if _EXPONENT.fullmatch(value):
        return (
            f"{value} is text to some YAML readers and a number to others; "
            f"write the number out, or quote it: {quoted}"
        )
    if _DATE.fullmatch(value):
        return f"{value} is a date to many YAML readers; quote it: {quoted}"
    if _ODD_NUMBER.fullmatch(value):
        return (
            f"{value} is not read alike by all YAML readers; "
            f"write a plain decimal number, or quote it: {quoted}"
        )
    return None


def _base_60(value: str) -> str:
    total = 0.0
    for digits in value.lstrip("+-").replace("_", "").split(":"):
        total = total * 60 + float(digits)
    return f"{-total if value.startswith('-') else total:.10g}"
