"""A sheet as one HTML file: no script, no font, no picture from anywhere else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache

from jinja2 import Environment
from markupsafe import Markup

from quizprep.sheets.mathml import breakable, is_wide, mathml
from quizprep.sheets.model import Sheet
from quizprep.sheets.prose import Bullets, Code, Line, Math, Prose, Words
from quizprep.sheets.svg import PAGE, prefixed
from quizprep.sheets.templating import TEMPLATES, environment, verbatim


def render_html(sheet: Sheet) -> str:
    """The file's text."""
    return _environment().get_template("sheet.html.j2").render(sheet=sheet)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=True)
    made.filters |= {
        "prose": prose_html,
        "line": line_html,
        "math": lambda latex: Markup(mathml(latex)),
        "formulas": lambda latex: Markup(breakable(latex)),
        "svg": lambda picture, topic: Markup(prefixed(picture.svg(PAGE), topic)),
        "display": lambda latex: Markup(breakable(latex, display=True)),
    }
    made.globals |= {"css": Markup(_style()), "is_wide": is_wide}
    return made


def _style() -> str:
    """The style sheet, with the font of last resort inside."""
    font = base64.b64encode((TEMPLATES / "root.ttf").read_bytes()).decode()
    style = (TEMPLATES / "sheet.css").read_text(encoding="utf-8")
    return style.replace("ROOT-FONT", f"data:font/ttf;base64,{font}")


def prose_html(text: Prose, math: Callable[[str], str] = breakable) -> Markup:
    """Paragraphs and lists; ``math`` sets a formula given in LaTeX."""
    parts = []
    for block in text:
        if isinstance(block, Bullets):
            tag = "ol" if block.numbered else "ul"
            items = "".join(f"<li>{line_html(item, math)}</li>" for item in block.items)
            parts.append(f"<{tag}>{items}</{tag}>")
        else:
            parts.append(f"<p>{line_html(block, math)}</p>")
    return Markup("".join(parts))


def line_html(line: Line, math: Callable[[str], str] = breakable) -> Markup:
    """Words, code and formulas of one line."""
    out: list[str] = []
    for item in line:
        match item:
            case Words(text=text):
                out.append(verbatim(text))
            case Code(text=text):
                out.append(f"<code>{verbatim(text)}</code>")
            case Math(latex=latex):
                out.append(math(latex))
    return Markup("".join(out))
