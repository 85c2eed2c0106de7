"""A type check of a YAML tree that reports every mismatch, with what to write instead.

``msgspec.convert`` stops at the first fault and speaks of JSON paths. Only a tree that it has
refused is checked here.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Iterable, Iterator

from msgspec import inspect

from quizprep.content.yaml_tree import (
    FAULTY,
    SPARE,
    Fault,
    Finding,
    Mapping,
    Sequence,
    Steps,
    Tree,
    Value,
)

_PATTERNS = {
    r"^[a-z0-9]+([-_][a-z0-9]+)*$": "lower-case letters, digits, - and _, such as kv-cache-size",
    r"^[a-z][a-z0-9_]*$": "a lower-case letter, then letters, digits and _, such as kv_heads",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "a Python name",
    r"^\d+(\.\d+)?%$": "a percentage such as 1%",
    r"^\d{4}\.\d{4,5}$": 'an arXiv id such as "1706.03762", in quotes',
}


def mismatches(tree: Tree, kind: type[object]) -> list[Fault]:
    """Every place where the tree is not of the type, in the order of the file."""
    found = _check(tree.root, inspect.type_info(kind), ())
    faults = [Fault(steps, tree.line(steps), message) for steps, message in found]
    return sorted(faults, key=lambda fault: fault.line)


def _check(value: Value, kind: inspect.Type, steps: Steps) -> Iterator[Finding]:
    if value is FAULTY:
        return
    match kind:
        case inspect.StructType():
            yield from _struct(value, kind, steps)
        case inspect.UnionType():
            yield from _union(value, kind, steps)
        case inspect.DictType():
            yield from _dict(value, kind, steps)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _list(value, kind, steps)
        case _:
            if (message := _leaf_fault(value, kind)) is not None:
                yield steps, message


def _struct(value: Value, kind: inspect.StructType, steps: Steps) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield steps, _expected(_FIELDS, value)
        return
    fields = {field.encode_name: field for field in kind.fields}
    names = [*fields, *([kind.tag_field] if kind.tag_field else [])]
    for name, item in value.items():
        if name in fields:
            yield from _check(item, fields[name].type, (*steps, name))
        elif name not in names and not name.startswith(SPARE):
            yield (*steps, name), _unknown(name, names)
    for name, field in fields.items():
        if field.required and name not in value:
            yield (*steps, name), f"is missing; write '{name}: {_example(field.type)}'"


def _union(value: Value, kind: inspect.UnionType, steps: Steps) -> Iterator[Finding]:
    plain = [item for item in kind.types if not isinstance(item, inspect.NoneType)]
    structs = [item for item in plain if isinstance(item, inspect.StructType)]
    if value is None and len(plain) < len(kind.types):
        return
    if len(structs) > 1 and isinstance(value, Mapping):
        yield from _tagged(value, structs, steps)
    elif structs:
        yield from _struct(value, structs[0], steps)
    elif len(plain) == 1:
        yield from _check(value, plain[0], steps)
    elif isinstance(value, Sequence) and (lists := [i for i in plain if isinstance(i, _LISTS)]):
        yield from _list(value, lists[0], steps)
    elif all(_leaf_fault(value, item) is not None for item in plain):
        words = " or ".join(dict.fromkeys(_words(item) for item in plain))
        yield steps, _expected(words, value)


def _tagged(
    value: Mapping, structs: Iterable[inspect.StructType], steps: Steps
) -> Iterator[Finding]:
    by_tag = {str(item.tag): item for item in structs}
    tag_field = next(iter(by_tag.values())).tag_field or "kind"
    tag = value.get(tag_field)
    if tag is FAULTY:
        return
    if tag_field not in value:
        yield (*steps, tag_field), f"is missing; write one of: {', '.join(by_tag)}"
    elif not isinstance(tag, str) or tag not in by_tag:
        yield (*steps, tag_field), _not_one_of(tag, list(by_tag))
    else:
        yield from _struct(value, by_tag[tag], steps)


def _dict(value: Value, kind: inspect.DictType, steps: Steps) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield steps, _expected(_FIELDS, value)
        return
    for name, item in value.items():
        if not name.startswith(SPARE):
            if (message := _leaf_fault(name, kind.key_type)) is not None:
                yield (*steps, name), f"as a key {message}"
            yield from _check(item, kind.value_type, (*steps, name))


def _list(
    value: Value, kind: inspect.VarTupleType | inspect.ListType, steps: Steps
) -> Iterator[Finding]:
    if not isinstance(value, Sequence):
        yield steps, _expected("a list: [a, b], or lines that begin with '- '", value)
        return
    if kind.min_length is not None and len(value) < kind.min_length:
        yield steps, f"has {len(value)} items; at least {kind.min_length} are needed"
    if kind.max_length is not None and len(value) > kind.max_length:
        yield steps, f"has {len(value)} items; at most {kind.max_length} are allowed"
    for place, item in enumerate(value):
        yield from _check(item, kind.item_type, (*steps, place))


_FIELDS = "fields, each as 'key: value'"


def _leaf_fault(value: Value, kind: inspect.Type) -> str | None:
    match kind:
        case inspect.StrType():
            return _text_fault(value, kind)
        case inspect.IntType() | inspect.FloatType():
            numbers = int if isinstance(kind, inspect.IntType) else int | float
            if isinstance(value, bool) or not isinstance(value, numbers):
                return _expected(_words(kind), value)
            return _range_fault(value, kind)
        case inspect.VarTupleType() | inspect.ListType():
            return _expected(_words(kind), value)
        case inspect.BoolType():
            return None if isinstance(value, bool) else _expected(_words(kind), value)
        case inspect.NoneType():
            return None if value is None else _expected(_words(kind), value)
        case inspect.LiteralType():
            known = any(value == item and type(value) is type(item) for item in kind.values)
            return None if known else _not_one_of(value, [str(item) for item in kind.values])
        case inspect.EnumType():
            allowed = [str(item.value) for item in kind.cls]
            known = isinstance(value, str) and value in allowed
            return None if known else _not_one_of(value, allowed)
    raise AssertionError(f"a content type uses {kind}, which the walk does not know")


def _text_fault(value: Value, kind: inspect.StrType) -> str | None:
    if not isinstance(value, str):
        return _expected("text", value)
    if kind.min_length is not None and len(value) < kind.min_length:
        return "is empty; write a text"
    if kind.max_length is not None and len(value) > kind.max_length:
        return f"has {len(value)} characters; at most {kind.max_length} are allowed"
    if kind.pattern is not None and re.search(kind.pattern, value) is None:
        wanted = _PATTERNS.get(kind.pattern, f"text that matches {kind.pattern}")
        return f"is {_clipped(value)!r}; write {wanted}"
    return None


def _range_fault(value: float, kind: inspect.IntType | inspect.FloatType) -> str | None:
    for bound, holds, words in (
        (kind.ge, operator.ge, "at least"),
        (kind.gt, operator.gt, "more than"),
        (kind.le, operator.le, "at most"),
        (kind.lt, operator.lt, "less than"),
    ):
        if bound is not None and not holds(value, bound):
            return f"is {value}; write {words} {bound:g}"
    return None


def _words(kind: inspect.Type) -> str:
    return _NOUNS.get(type(kind), "another value")


_LISTS = (inspect.VarTupleType, inspect.ListType)
_NOUNS: dict[type[inspect.Type], str] = {
    inspect.VarTupleType: "a list",
    inspect.ListType: "a list",
    inspect.StrType: "text",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.NoneType: "nothing",
}


def _expected(wanted: str, value: Value) -> str:
    if value is None:
        return f"is empty; write {wanted}"
    if isinstance(value, Mapping):
        return f"holds fields; write {wanted}"
    if isinstance(value, Sequence):
        return f"is a list; write {wanted}"
    if isinstance(value, str):
        return f"is the text {_clipped(value)!r}; write {wanted}"
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    noun = "the truth value" if isinstance(value, bool) else "the number"
    if wanted == "text":
        return f'is {noun} {shown}, where text is expected; quote it: "{shown}"'
    return f"is {noun} {shown}; write {wanted}"


def _not_one_of(value: Value, allowed: list[str]) -> str:
    listed = f"one of: {', '.join(allowed)}" if len(allowed) > 1 else allowed[0]
    if not isinstance(value, str):
        return _expected(listed, value)
    near = difflib.get_close_matches(value, allowed, n=1)
    if near and len(allowed) > 1:
        return f"is {_clipped(value)!r}; did you mean {near[0]}? Write {listed}"
    return f"is {_clipped(value)!r}; write {listed}"


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"is not a field here; did you mean '{near[0]}'?"
    return f"is not a field here; remove it, or use one of: {', '.join(known)}"


def _example(kind: inspect.Type) -> str:
    match kind:
        case inspect.VarTupleType() | inspect.ListType():
            return "[...]"
        case inspect.DictType() | inspect.StructType():
            return "{...}"
        case inspect.LiteralType():
            return str(kind.values[0])
        case inspect.EnumType():
            return "|".join(str(item.value) for item in kind.cls)
        case inspect.IntType() | inspect.FloatType():
            return "1"
    return "..."


def _clipped(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
