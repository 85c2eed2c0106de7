r"""A sheet as an Anki deck: one note a question, mathematics in Anki's ``\( \)``.

A note's guid is the question's id, so importing again updates the notes and keeps the
learner's own schedule. The same seed draws the same numbers, so a note keeps its numbers too.
Pictures stand inside the note as SVG, not beside it as files: so they take the card's colours,
by day and by night.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from html import escape

from jinja2 import Environment
from markupsafe import Markup

from quizprep.sheets.anki_package import Note, NoteType, package
from quizprep.sheets.figures import PAGE
from quizprep.sheets.model import Card, Picture, Section, Sheet
from quizprep.sheets.prose import Bullets, Code, Line, Math, Prose, Words
from quizprep.sheets.templating import TEMPLATES, environment

DECK = "quizprep"


def render_anki(sheet: Sheet, now: datetime) -> bytes:
    """An ``.apkg`` file. Anki takes a note over an older one where it is newer, hence now."""
    notes = [_note(section, card) for section in sheet.sections for card in section.cards]
    css = (TEMPLATES / "anki.css").read_text(encoding="utf-8")
    return package(notes, NoteType("quizprep question", ("Front", "Back"), css), now)


def _note(section: Section, card: Card) -> Note:
    made = _environment()
    references = {reference.id: reference for reference in section.references}
    front = made.get_template("anki-front.html.j2").render(card=card)
    back = made.get_template("anki-back.html.j2").render(
        card=card, references=references, picture=picture_of(section, card)
    )
    return Note(
        guid=f"quizprep-{card.id}",
        deck=f"{DECK}::{section.title.replace('::', ': ')}",
        fields=(front.strip(), back.strip()),
        tags=(
            "quizprep",
            f"topic::{section.topic}",
            f"level::{card.level}",
            f"kind::{card.kind}",
            *(f"concept::{concept.id}" for concept in card.concepts),
        ),
    )


def picture_of(section: Section, card: Card) -> Picture | None:
    """The picture that belongs to a question: one about the first of its concepts that has one."""
    for concept in card.concepts:
        for picture in section.pictures:
            if concept.id in picture.concepts:
                return picture
    return None


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(autoescape=True)
    made.filters |= {
        "prose": prose_anki,
        "line": line_anki,
        "math": math_anki,
        "verbatim": verbatim_anki,
        "svg": lambda picture: Markup(picture.svg(PAGE)),
    }
    return made


def prose_anki(text: Prose) -> Markup:
    """Paragraphs and lists."""
    parts = []
    for block in text:
        if isinstance(block, Bullets):
            tag = "ol" if block.numbered else "ul"
            items = "".join(f"<li>{line_anki(item)}</li>" for item in block.items)
            parts.append(f"<{tag}>{items}</{tag}>")
        else:
            parts.append(f"<p>{line_anki(block.line)}</p>")
    return Markup("".join(parts))


def line_anki(line: Line) -> Markup:
    """Words, code and formulas of one line."""
    out: list[str] = []
    for item in line:
        match item:
            case Words(text=text):
                out.append(_words(text))
            case Code(text=text):
                out.append(f"<code>{_words(text)}</code>")
            case Math(latex=latex):
                out.append(math_anki(latex))
    return Markup("".join(out))


def math_anki(latex: str) -> Markup:
    """A formula as Anki hands it to MathJax."""
    return Markup(rf"\({_words(latex)}\)")


def verbatim_anki(text: str) -> Markup:
    """Code that keeps its lines."""
    return Markup(_words(text))


def _words(text: str) -> str:
    return escape(text, quote=False)
