"""Pictures: they say in words what they show, and show what was given."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizprep.content.library import Library, shipped_root
from quizprep.sheets.build import Wanted, build
from quizprep.sheets.html import render_html
from quizprep.sheets.pictures import plots
from quizprep.sheets.svg import PAGE, PAPER, MaskPicture, Palette

SVG = "{http://www.w3.org/2000/svg}"
LIBRARY = Library(shipped_root())
(PLOT,) = plots("kv-cache", LIBRARY, {})


def parsed(svg: str) -> ElementTree.Element:
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    labels = (root.get("aria-labelledby") or "").split()
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None and description is not None
    assert labels == [title.get("id"), description.get("id")]
    assert title.text and description.text
    return root


def mask(matrix: list[list[bool]]) -> MaskPicture:
    return MaskPicture("A mask", (), (), "e", tuple(map(tuple, matrix)))


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=6))
def test_a_mask_shows_each_visible_key(matrix: list[list[bool]]) -> None:
    """The filled area, in cells, is the number of visible keys, and lies where they are."""
    root = parsed(mask(matrix).svg(PAGE))
    filled = [
        [float(rect.get(name, "0")) for name in ("x", "y", "width", "height")]
        for rect in root.iter(f"{SVG}rect")
    ]
    cells = {
        (round((y - 26) / h), round((x - 26) / h) + step)
        for x, y, w, h in filled
        for step in range(round(w / h))
    }
    assert cells == {(i, j) for i, row in enumerate(matrix) for j, shown in enumerate(row) if shown}


def test_an_empty_mask_is_still_a_picture() -> None:
    """No rows give a picture without cells."""
    parsed(mask([]).svg(PAGE))


@pytest.mark.parametrize("palette", [PAGE, PAPER])
def test_curves_are_named_and_differ_without_colour(palette: Palette) -> None:
    """Each curve has its name beside it and a dash of its own."""
    root = parsed(PLOT.svg(palette))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {series.name for series in PLOT.series} <= set(texts)
    dashes = [
        re.sub(r".*stroke-dasharray: ([^;]*).*|.*", r"\1", line.get("style", ""))
        for line in root.iter(f"{SVG}polyline")
    ]
    assert len(dashes) == len(set(dashes)) == len(PLOT.series)


def test_labels_do_not_overlap() -> None:
    """Names at the curves' ends stand at least a row apart."""
    root = parsed(PLOT.svg(PAGE))
    names = {series.name for series in PLOT.series}
    heights = sorted(float(t.get("y", "0")) for t in root.iter(f"{SVG}text") if t.text in names)
    assert all(b - a >= 15 for a, b in pairwise(heights))


def test_curves_stay_inside_their_axes() -> None:
    """No point lies beyond the outermost ticks."""
    for series in PLOT.series:
        for x, y in series.points:
            assert PLOT.x.ticks[0] <= x <= PLOT.x.ticks[-1]
            assert PLOT.y.ticks[0] <= y <= PLOT.y.ticks[-1]


def test_the_cache_is_computed_as_the_catalogue_says() -> None:
    """32 layers and 32 heads of 128 in fp16 take 2 GiB for 4096 tokens; GQA a quarter, MQA one
    part in 32, int8 half and its scales."""
    at = {series.name: dict(series.points)[4096] for series in PLOT.series}
    assert at["MHA, 32 KV heads"] == 2
    assert at["GQA, 8 KV heads"] == Fraction(1, 2)
    assert at["MQA, 1 KV head"] == Fraction(1, 16)
    assert at["GQA in int8"] == Fraction(1, 2) * (128 + 4) / (2 * 128)


def test_the_picture_stands_on_its_sheet() -> None:
    """The HTML sheet about the KV cache holds the picture, with the page's own colours."""
    sheet = build(Library(shipped_root()), Wanted(topics=["kv-cache"]))
    page = render_html(sheet)
    assert page.count("<svg") == 1 and "var(--accent)" in page
    assert "<svg" not in render_html(build(Library(shipped_root()), Wanted(topics=["scaling"])))
