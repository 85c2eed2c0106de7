"""Texts as HTML: questions with their mathematics, tasks in Markdown, source beside source."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, StreamingResponse

from quizprep.sheets import templating
from quizprep.sheets.html import prose_html
from quizprep.sheets.prose import prose
from quizprep.web.guard import policy

FOLDER = Path(__file__).parent

EDITOR = FOLDER / "static" / "editor.js"
"""The editor, which `make web` builds; without it a plain text area works."""


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; everything that they insert is escaped."""
    made = templating.environment(autoescape=True, folder=FOLDER / "templates")
    made.globals["css"] = Markup((FOLDER / "static" / "style.css").read_text(encoding="utf-8"))
    return made


def text_html(text: str) -> Markup:
    """A text of a question, with its mathematics set."""
    return prose_html(prose(text))


def markdown_html(text: str) -> Markup:
    """A task, without its title; HTML in it is shown, not obeyed."""
    body = text.split("\n", 1)[1] if text.startswith("# ") else text
    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(body)
    # What may be wider than the page is scrolled by itself, by keyboard too. Text is escaped, so
    # these are the renderer's own tags.
    made = made.replace("<pre>", '<pre tabindex="0">')
    made = made.replace("<table>", '<div class="wide" tabindex="0"><table>')
    return Markup(made.replace("</table>", "</table></div>"))


def difference(mine: str, other: str) -> Iterator[tuple[str, str]]:
    """Lines of a diff from one source to another, each with its kind: same, minus, plus, place."""
    kinds = {"-": "minus", "+": "plus", "@": "place"}
    lines = difflib.unified_diff(mine.splitlines(), other.splitlines(), lineterm="", n=3)
    for number, line in enumerate(lines):
        if number > 1:
            yield kinds.get(line[:1], "same"), line


def page(request: Request, name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page made of a template."""
    text = (
        environment()
        .get_template(f"{name}.html.j2")
        .render(nonce=request.state.nonce, path=request.url.path, **values)
    )
    return HTMLResponse(text, status)


def editor_page(request: Request, name: str, **values: Any) -> HTMLResponse:
    """A page with the editor, if it was built."""
    made = page(request, name, editor=EDITOR.is_file(), **values)
    if EDITOR.is_file():
        made.headers["content-security-policy"] = policy(request.state.nonce, editor=True)
    return made


def seen(address: str) -> RedirectResponse:
    """After a form: a page that may be opened again."""
    return RedirectResponse(address, 303)


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """Server-sent events."""
    return StreamingResponse(events, media_type="text/event-stream")


def typed_source(value: object) -> str:
    """Source as a form sends it, with the ends of its lines as files have them."""
    return str(value).replace("\r\n", "\n")
