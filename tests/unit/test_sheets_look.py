"""How a sheet looks, as far as its text says: colours, sizes, alternatives, addresses.

The same is seen in a browser by ``tests/browser``, where there is one.
"""

from __future__ import annotations

import re
from itertools import product

import pytest

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.sheets.pdf import sheet_source
from quizprep.sheets.svg import PAPER
from quizprep.sheets.templating import TEMPLATES

SHIPPED = Library(shipped_root())
CONTRAST = 4.5
FRONT = ("ink", "soft", "accent", "right", "wrong")
BACK = ("paper", "raised")


def colours(css: str) -> dict[str, str]:
    """The custom properties of a piece of a style sheet that are colours."""
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", css))


def schemes() -> dict[str, dict[str, str]]:
    """The colours of each style sheet by scheme: dark and print change some of light's."""
    page = (TEMPLATES / "sheet.css").read_text(encoding="utf-8")
    light, rest = page.split("@media (prefers-color-scheme: dark)")
    dark, printed = rest.split("@media print")
    day, night = (TEMPLATES / "anki.css").read_text(encoding="utf-8").split(".card.nightMode")
    made = {
        "light": colours(light),
        "dark": colours(light) | colours(dark.split("* {")[0]),
        "print": colours(light) | colours(printed),
        "anki day": colours(day),
        "anki night": colours(day) | colours(night),
    }
    typst = dict(zip(FRONT, (PAPER.ink, PAPER.soft, *PAPER.series[:3]), strict=True))
    return made | {"pdf": typst | {"paper": "#ffffff"}}


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    shares = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, back: str) -> float:
    """The ratio of WCAG 2, from 1 to 21."""
    low, high = sorted((luminance(front), luminance(back)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_says() -> None:
    """Black on white is 21, a colour on itself 1, and #777 on white just fails."""
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#123456", "#123456") == 1
    assert 4.4 < contrast("#777", "#fff") < CONTRAST


@pytest.mark.parametrize("scheme", schemes())
def test_every_text_colour_stands_out(scheme: str) -> None:
    """On each background of a scheme each colour of text has a contrast of 4.5 or more."""
    known = schemes()[scheme]
    assert set(FRONT) <= known.keys() and "paper" in known
    for front, back in product(FRONT, BACK):
        if back in known:
            assert contrast(known[front], known[back]) >= CONTRAST, (front, back)


def test_dark_and_print_change_every_colour() -> None:
    """No colour of the light scheme is left over in the others."""
    found = schemes()
    for name in ("dark", "print"):
        for colour in (*FRONT, "line"):
            assert found[name][colour] != found["light"][colour], (name, colour)


def test_widths_leave_room_for_a_phone() -> None:
    """Outside of what applies to wide screens only, nothing has a fixed width in px, and none
    in rem or em that a phone of 22.5rem could not hold."""
    page = (TEMPLATES / "sheet.css").read_text(encoding="utf-8")
    everywhere = re.sub(r"@media \(min-width[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", page)
    assert len(everywhere) < len(page)
    for unit, limit in (("px", 2), ("rem", 20), ("em", 20)):
        sizes = re.findall(rf"(?<!max-)(?<!max-inline-)width: ([\d.]+){unit}\b", everywhere)
        assert all(float(size) <= limit for size in sizes), (unit, sizes)


def test_every_picture_has_words() -> None:
    """On the page each picture has a role, a title and a description, with ids of its own; in
    the PDF each has its alternative."""
    sheet = build(SHIPPED, Wanted(topics=SHIPPED.topics))
    page = render_html(sheet)
    pictures = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    assert len(pictures) == sum(len(section.pictures) for section in sheet.sections) > 10
    for picture in pictures:
        assert 'role="img"' in picture and "<title" in picture and "<desc" in picture
    labels = re.findall(r'aria-labelledby="(\S+) (\S+)"', page)
    assert len({part for pair in labels for part in pair}) == 2 * len(pictures)
    source = sheet_source(sheet)
    assert source.count("#image(") == len(re.findall(r"#image\(bytes\(.*, alt: \"", source))


def test_no_picture_names_an_address() -> None:
    """Within pictures nothing is linked or loaded; the one address is the name of SVG itself."""
    page = render_html(build(SHIPPED, Wanted(topics=SHIPPED.topics)))
    for picture in re.findall(r"<svg .*?</svg>", page, re.DOTALL):
        assert set(re.findall(r"https?://[^\"]+", picture)) <= {"http://www.w3.org/2000/svg"}
        assert "href" not in picture and "<image" not in picture
