"""A cost beside the solution's: the sentence follows from the two formulas."""

from __future__ import annotations

import pytest

from quizprep.content.exercises import Contract
from quizprep.grading.beside import difference

CONTRACT = Contract(sizes={"n": (1, 2), "m": (1, 2), "block": (1, 2)}, where=("block <= n",))


@pytest.mark.parametrize(
    ("formula", "own", "says"),
    [
        ("8*n*m", "8*n*m", ""),
        ("8*n*m + n^2", "8*n*m", "yours grows with n^2"),
        ("12*n*m", "8*n*block", "yours grows with n*m"),
        ("12*n*m + n", "8*n*m", "other constants or smaller terms"),
        ("8*n", "8*n*m", "more slowly"),
        ("8*block^2", "8*n*block", "more slowly"),
    ],
)
def test_the_sentence_names_what_differs(formula: str, own: str, says: str) -> None:
    """Growth that the solution lacks is named first; equal formulas need no words."""
    found = difference(formula, own, CONTRACT)
    assert says in found if says else found == ""
