"""A sheet as GitHub Markdown, with GitHub's mathematics.

GitHub sets ``$...$`` only between spaces or punctuation. Its Markdown reads backslashes before
punctuation first, unless the formula is written ``$`...`$``. It refuses ``\\operatorname``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jinja2 import Environment

from quizprep.sheets.model import Sheet
from quizprep.sheets.prose import Bullets, Code, Line, Math, Prose, Words
from quizprep.sheets.templating import environment

_SPECIAL = re.compile(r"[\\`*<\[~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_AT_START = re.compile(r"(#{1,6}|[-+>=|]|\d+[.)])(?=\s|$|[-=])")
_EATEN = re.compile(r"\\[^A-Za-z\s]|[*`]")
_BLANKS = re.compile(r"\n{3,}")


def render_markdown(sheet: Sheet) -> str:
    """The file's text."""
    template = _environment().get_template("sheet.md.j2")
    anchors = {section.topic: _anchor(section.title) for section in sheet.sections}
    text = template.render(sheet=sheet, anchors=anchors)
    return _tidied(text)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=False)
    made.filters |= {
        "prose": prose_md,
        "line": line_md,
        "cell": lambda line: line_md(line).replace("|", r"\|"),
        "math": math_md,
        "words": words_md,
        "fenced": _fenced,
    }
    return made


def prose_md(text: Prose) -> str:
    """Paragraphs and lists, separated by empty lines."""
    parts = []
    for block in text:
        if isinstance(block, Bullets):
            marks = (f"{n}." if block.numbered else "-" for n in range(1, len(block.items) + 1))
            parts.append(
                "\n".join(f"{m} {line_md(i)}" for m, i in zip(marks, block.items, strict=True))
            )
        else:
            parts.append(line_md(block))
    return "\n\n".join(parts)


def line_md(line: Line) -> str:
    """Words, code and formulas of one line."""
    out = ""
    for place, item in enumerate(line):
        match item:
            case Words(text=text):
                out += words_md(text) if out else _begun(words_md(text))
            case Code(text=text):
                fence = "``" if "`" in text else "`"
                out += f"{fence}{text}{fence}"
            case Math(latex=latex):
                after = line[place + 1] if place + 1 < len(line) else None
                glued = out[-1:].isalnum() or (
                    isinstance(after, Words) and after.text[:1].isalnum()
                )
                out += math_md(latex, glued)
    return out


def math_md(latex: str, glued: bool = False) -> str:
    """A formula; ``glued`` where a letter or a digit is next to it."""
    text = re.sub(r"\\operatorname\s*\{", r"\\mathrm{", latex)
    text = text.replace("<", r"\lt ").replace(">", r"\gt ").strip()
    return f"$`{text}`$" if glued or _EATEN.search(text) else f"${text}$"


def words_md(text: str) -> str:
    """Words in which nothing is taken for markup."""
    return _SPECIAL.sub(lambda m: f"\\{m[0]}", text).replace("$", "<span>$</span>")


def _begun(text: str) -> str:
    """The beginning of a line, escaped where it would be read as a heading or a list item."""
    mark = _AT_START.match(text)
    if mark is None:
        return text
    end = mark.end(1) - 1
    return f"{text[:end]}\\{text[end:]}"


def _anchor(heading: str) -> str:
    """The name that GitHub gives a heading in links."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _fenced(code: str, language: str = "") -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code}\n{fence}"


def _tidied(text: str) -> str:
    """With at most one empty line in a row, except in code."""
    parts = re.split(r"(^`{3,}.*?^`{3,}$)", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [_BLANKS.sub("\n\n", part) for part in parts[::2]]
    return "".join(parts).strip() + "\n"
