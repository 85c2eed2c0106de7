"""Masks of the exercises, as their references showed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quizprep.sheets.figures import Palette, mask_svg
from quizprep.sheets.prose import Line

_SEEN, _HIDDEN = "■", "·"


@dataclass(frozen=True)
class MaskPicture:
    """Which keys each query sees.

    caption   the rule in words
    concepts  what it is about
    exercise  whose reference was run
    visible   for each query a row with a truth value for each key
    """

    title: str
    caption: Line
    concepts: tuple[str, ...]
    exercise: str
    visible: tuple[tuple[bool, ...], ...]

    @property
    def description(self) -> str:
        """The mask in words, row by row; rows that are alike stand together."""
        keys = max(map(len, self.visible), default=0)
        said = [_keys(row) for row in self.visible]
        parts = []
        begin = 0
        for end in range(1, len(said) + 1):
            if end == len(said) or said[end] != said[begin]:
                who = f"query {begin + 1}" if end == begin + 1 else f"queries {begin + 1} to {end}"
                parts.append(f"{who}: {said[begin]}")
                begin = end
        return f"{len(said)} queries, {keys} keys. Visible to {'; '.join(parts)}."

    @property
    def text(self) -> str:
        """The mask as lines of signs, for formats without pictures."""
        return "\n".join(
            " ".join(_SEEN if seen else _HIDDEN for seen in row) for row in self.visible
        )

    def svg(self, palette: Palette) -> str:
        """The picture."""
        return mask_svg(self.visible, self.title, self.description, palette)


def _keys(row: Sequence[bool]) -> str:
    """``keys 1 to 3, 7``."""
    shown = [place for place, seen in enumerate(row, 1) if seen]
    if not shown:
        return "no key"
    spans: list[list[int]] = []
    for place in shown:
        if spans and spans[-1][1] == place - 1:
            spans[-1][1] = place
        else:
            spans.append([place, place])
    parts = [str(a) if a == b else f"{a} to {b}" for a, b in spans]
    return f"{'key' if len(shown) == 1 else 'keys'} {', '.join(parts)}"
