"""docs/api.md, written from the docstrings of the Python interface.

``python -m tools.api_docs`` writes it; a test compares it with what would be written.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import quizprep
from quizprep import api
from quizprep.grading import verdict

TARGET = Path(__file__).parents[1] / "docs" / "api.md"
PARTS = (
    verdict.Verdict,
    verdict.Stage,
    verdict.NamedMistake,
    verdict.CaseResult,
    verdict.Cause,
    verdict.Raised,
    verdict.Frame,
    verdict.Reading,
    verdict.Witness,
    verdict.Slip,
    verdict.Departure,
    verdict.MaskSeen,
    verdict.ErrorMap,
)
"""What a verdict is made of."""


def page() -> str:
    """The whole page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The Python interface"
    yield ""
    yield "Written from the docstrings by `python -m tools.api_docs`; edit those, not this page."
    yield ""
    yield _prose(api.__doc__)
    for name in sorted(quizprep.__all__, key=lambda name: (name[0].isupper(), name)):
        thing = getattr(quizprep, name)
        if thing in PARTS:
            continue
        yield from ("", f"## {name}", "")
        if inspect.isclass(thing):
            yield from _class(thing)
        else:
            yield from ("```python", _signature(name, thing), "```", "", _prose(thing.__doc__))
    yield from ("", "## Verdict", "")
    yield "Frozen `msgspec` structs. In JSON, fields that have their default are left out."
    for part in PARTS:
        yield from ("", f"### {part.__name__}", "", _prose(part.__doc__), "")
        yield "| field | type |"
        yield "|---|---|"
        for field, kind in inspect.get_annotations(part).items():
            escaped = str(kind).replace("|", "\\|")
            yield f"| `{field}` | `{escaped}` |"
        yield from _members(part)


def _class(kind: type) -> Iterator[str]:
    if not issubclass(kind, Exception):
        yield from ("```python", _signature(kind.__name__, kind.__init__), "```", "")
    yield _prose(kind.__doc__)
    yield from _members(kind)


def _members(kind: type) -> Iterator[str]:
    """The public methods and properties that a class defines itself."""
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        inner = getattr(member, "func", None) or getattr(member, "fget", None)
        if inner is not None:
            yield from ("", f"- `{name}`: {_sentence(inner.__doc__)}")
        elif inspect.isfunction(member):
            yield from ("", f"- `{_signature(name, member, 'def ')}`: {_sentence(member.__doc__)}")


def _signature(name: str, function: object, cut: str = "") -> str:
    """One line, or one parameter a line where that is too long."""
    found = inspect.signature(function)  # type: ignore[arg-type]
    kept = [each for each in found.parameters.values() if each.name != "self"]
    text = str(found.replace(parameters=kept)).replace("'", "").replace(" -> None", "")
    line = f"{name}{text}"
    if cut or len(line) <= 88:
        return line
    inside, _, returned = text[1:].rpartition(")")
    return (
        f"{name}(\n    " + ",\n    ".join(re.split(r", (?![^\[]*\])", inside)) + f",\n){returned}"
    )


def _prose(doc: str | None) -> str:
    """A docstring as Markdown: aligned lists of arguments and indented code become code blocks."""
    out: list[str] = []
    for block in inspect.cleandoc(doc or "").split("\n\n"):
        if re.match(r"[a-z_]+  +\S", block) or block.startswith("    "):
            out.append(f"```\n{_code(inspect.cleandoc(block))}\n```")
        else:
            out.append(_code(block))
    return re.sub(r"```\n\n```\n", "\n", "\n\n".join(out))


def _sentence(doc: str | None) -> str:
    return _code(" ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split()))


def _code(text: str) -> str:
    return text.replace("``", "`")


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
