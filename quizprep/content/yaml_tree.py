"""YAML text to plain values that remember their lines.

A strict subset of YAML is read: one document, no tags, anchors or merge keys, text keys, and
plain scalars on whose value all YAML readers agree. A scalar on which they differ (``no``,
``12:30``, ``1e3``, ``017``, a date) is a fault, which says how to write it instead. The tree is
built from libyaml's events, which takes a third of the time of ``yaml.load`` and shows duplicate
keys, which ``yaml.load`` drops.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

MAX_DEPTH = 20
MAX_DIGITS = 40
SPARE = "\0"
"""Begins the keys that stand in for faulty ones; no file holds this character."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

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


class Mapping(dict[str, "Value"]):
    """A mapping with the line it begins on and the line of each key (1 is the first)."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Sequence(list["Value"]):
    """A list with the line it begins on and the line of each item."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


class _Faulty:
    """In place of a value that has a fault already, so that no second one is reported."""


FAULTY = _Faulty()

Value = Mapping | Sequence | str | int | float | None | _Faulty


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

    root: Value
    faults: tuple[Fault, ...]
    complete: bool = True

    def line(self, steps: Steps) -> int:
        """The line of a field; where it is missing, the line of what should hold it."""
        node, line = self.root, 1
        for step in steps:
            match node, step:
                case Mapping(), str() if step in node:
                    line, node = node.lines[step], node[step]
                case Sequence(), int() if step < len(node):
                    line, node = node.lines[step], node[step]
                case ((Mapping() | Sequence()), _):
                    return node.line
                case _:
                    return line
        return line

    def field(self, steps: Steps) -> str:
        """A field in words: ``questions[3] (kv-bytes-per-token).level``."""
        words, node = "", self.root
        for step in steps:
            if isinstance(step, int):
                words += f"[{step}]"
                node = node[step] if isinstance(node, Sequence) and step < len(node) else None
                words += f" ({name})" if (name := _id(node)) is not None else ""
            elif step.startswith(SPARE):
                break
            else:
                words += f".{step}"
                node = node.get(step) if isinstance(node, Mapping) else None
        return words.removeprefix(".")


def _id(node: Value) -> str | None:
    name = node.get("id") if isinstance(node, Mapping) else None
    return name if isinstance(name, str) else None


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


class _Stop(Exception):
    """Reading cannot go on; the fault is noted."""


@dataclass
class _Builder:
    faults: list[Fault] = field(default_factory=list)
    stack: list[_Frame] = field(default_factory=list)
    root: Value = None
    documents: int = 0

    def build(self, text: str) -> Tree:
        complete = False
        try:
            for event in yaml.parse(text, Loader=_Loader):
                self._take(event)
            complete = self.documents > 0
            if not complete:
                self.faults.append(Fault((), 1, "is empty; a bank begins with 'format: 1'"))
        except yaml.YAMLError as error:
            self.faults.append(Fault(self._steps(), *_syntax_fault(error, text)))
        except _Stop:
            pass
        return Tree(self.root, tuple(self.faults), complete)

    def _steps(self) -> Steps:
        return tuple(frame.step for frame in self.stack if frame.step is not None)

    def _fault(self, event: yaml.Event, message: str) -> None:
        self.faults.append(Fault(self._steps(), _line(event), message))

    def _take(self, event: yaml.Event) -> None:
        if self.stack and not isinstance(event, yaml.CollectionEndEvent):
            top = self.stack[-1]
            top.step = len(top.node) if isinstance(top.node, Sequence) else top.key
        match event:
            case yaml.ScalarEvent():
                self._refuse_marks(event)
                self._put(self._scalar(event), event)
            case yaml.CollectionStartEvent():
                self._refuse_marks(event)
                self._open(event)
            case yaml.CollectionEndEvent():
                frame = self.stack.pop()
                if isinstance(frame.node, Sequence):
                    self._check_ids(frame.node)
            case yaml.AliasEvent():
                self._refuse(event, f"*{event.anchor} is an alias", "*")
                self._put(FAULTY, event)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    message = "begins a second document; a file holds one, so remove the ---"
                    self._fault(event, message)
                    raise _Stop

    def _refuse_marks(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._refuse(event, f"&{event.anchor} is an anchor", "&")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"{tag} is a tag, which is not allowed; remove it, or quote a text that "
            self._fault(event, f"{message}begins with !")

    def _refuse(self, event: yaml.Event, what: str, sign: str) -> None:
        remedy = f"write the value out, or quote a text that begins with {sign}"
        self._fault(event, f"{what}, which is not used here; {remedy}")

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.stack) == MAX_DEPTH:
            self._fault(event, f"is nested more than {MAX_DEPTH} deep; nothing here needs that")
            raise _Stop
        kind = Mapping if isinstance(event, yaml.MappingStartEvent) else Sequence
        node = kind(_line(event))
        self._put(node, event)
        self.stack.append(_Frame(node))

    def _put(self, value: Value, event: yaml.Event) -> None:
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        node = frame.node
        if isinstance(node, Sequence):
            node.append(value)
            node.lines.append(_line(event))
        elif frame.key is None:
            self._take_key(frame, node, value, event)
        else:
            node[frame.key] = value
            node.lines[frame.key] = frame.key_line
            frame.key = None

    def _take_key(self, frame: _Frame, node: Mapping, key: Value, event: yaml.Event) -> None:
        frame.key_line = _line(event)
        if isinstance(key, str) and key not in node and key != "<<":
            frame.key = key
            return
        frame.key = f"{SPARE}{len(node)}"
        match key:
            case _Faulty():
                return
            case "<<":
                message = "<< is a merge key, which is not used here; write the fields out"
            case str():
                message = f"is written twice, first in line {node.lines[key]}; keep one of them"
            case Mapping() | Sequence():
                message = "is a key that is not text; quote a text that begins with [, { or ?"
            case _:
                written = event.value if isinstance(event, yaml.ScalarEvent) else key
                message = f"has the key {written!r}, which is not text; quote it"
        steps = (*self._steps(), key) if isinstance(key, str) else self._steps()
        self.faults.append(Fault(steps, frame.key_line, message))

    def _scalar(self, event: yaml.ScalarEvent) -> Value:
        value: str = event.value
        resolved: Value = value
        message = None
        if not event.style:
            if not value or value[0] in _SPECIAL_STARTS:
                resolved, message = _resolve(value)
        elif event.style == '"' and (control := _CONTROL.search(value)):
            message = f"holds the control character {control[0]!r}: {_BACKSLASH}"
        if message is None:
            return resolved
        self._fault(event, message)
        return FAULTY

    def _check_ids(self, items: Sequence) -> None:
        seen: dict[str, int] = {}
        for place, item in enumerate(items):
            if isinstance(item, Mapping) and (name := _id(item)) is not None:
                line = item.lines["id"]
                if name in seen:
                    message = f"{name} is already the id in line {seen[name]}; ids differ"
                    self.faults.append(Fault((*self._steps(), place, "id"), line, message))
                seen.setdefault(name, line)


def _line(event: yaml.Event) -> int:
    """The line that an event begins on; the first is 1."""
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _resolve(value: str) -> tuple[Value, str | None]:
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
    """Why a plain scalar would be something else to another YAML reader, if it would."""
    quoted = f'quote it: "{value}"'
    if truth := _OLD_TRUTH.fullmatch(value):
        word = "true" if truth[1] else "false"
        return f"{value} means {word} to many YAML readers; {quoted}, or write {word}"
    if _CLOCK.fullmatch(value):
        return f"{value} is the number {_base_60(value)} to many YAML readers; {quoted}"
    if _EXPONENT.fullmatch(value):
        says = "is text to some YAML readers and a number to others; write the number out"
    elif _DATE.fullmatch(value):
        return f"{value} is a date to many YAML readers; {quoted}"
    elif _ODD_NUMBER.fullmatch(value):
        says = "is not read alike by all YAML readers; write a plain decimal number"
    else:
        return None
    return f"{value} {says}, or {quoted}"


def _base_60(value: str) -> str:
    total = 0.0
    for digits in value.lstrip("+-").replace("_", "").split(":"):
        total = total * 60 + float(digits)
    return f"{-total if value.startswith('-') else total:.10g}"


_BACKSLASH = "in double quotes a backslash begins an escape; use single quotes or a block (|)"
_MISFIT = "this does not fit here: its indentation matches no field"
_UNCLOSED = "the text that begins here is never closed; is the file cut off?"
_ADVICE = {
    "mapping values are not allowed": "a colon and a space inside unquoted text; quote the text",
    "could not find expected ':'": "this is neither 'key: value' nor part of the text above; "
    "check colon and indentation",
    "did not find expected key": f"{_MISFIT} above, or text goes on after a closing quote",
    "did not find expected '-' indicator": f"{_MISFIT} and no item above",
    "did not find expected ',' or ']'": "the list in [ ] is not closed; write , or ]",
    "did not find expected ',' or '}'": "the mapping in { } is not closed; write , or }",
    "unknown escape character": _BACKSLASH,
    "did not find expected hexdecimal number": _BACKSLASH,
    "cannot start any token": "a text cannot begin with this character; quote the text",
    "block sequence entries are not allowed": "a list item cannot stand here; begin the list on a "
    "line of its own",
    "unexpected end of stream": _UNCLOSED,
    "unexpected document indicator": _UNCLOSED,
}
"""By what libyaml says of a syntax error, what an author can do about it."""
_NEXT_FIELD = re.compile(r"\s*(- |[\w-]+:(\s|$))")


def _syntax_fault(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """The line and the advice for an error of the YAML reader."""
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    context_mark = getattr(error, "context_mark", None)
    lines = text.splitlines() or [""]
    row = min(mark.line if mark is not None else 0, len(lines) - 1)
    start = lines[row][: len(lines[row]) - len(lines[row].lstrip())]
    if "\t" in start:
        return row + 1, "is indented with a tab; YAML allows only spaces"
    for phrase, advice in _ADVICE.items():
        if phrase not in problem:
            continue
        begins_before = "never closed" in advice or (
            "not closed" in advice and _NEXT_FIELD.match(lines[row])
        )
        if begins_before and context_mark is not None:
            row = min(context_mark.line, len(lines) - 1)
        elif row == len(lines) - 1 and "cut off" not in advice:
            advice = f"{advice}; is the file cut off?"
        return row + 1, f"is not valid YAML: {advice}"
    return row + 1, f"is not valid YAML: {problem}"
