"""Softmax by its definition, relative to the maximum of each line."""

from __future__ import annotations

import numpy as np


def make_inputs(
    rng: np.random.Generator,
    rows: int = 4,
    cols: int = 4,
    axis: int | None = -1,
    fill: str = "normal",
) -> dict[str, np.ndarray | int]:
    """x: (rows, cols). An axis of None is left out, so that the default is used.

    fill says what is special about x along the axis: ``neg_inf`` (a third of it is -inf),
    ``neg_inf_line`` (one line is), ``all_neg_inf``, ``low_line`` (one line lies far below
    the others) and ``constant``.
    """
    x = rng.standard_normal((rows, cols))
    lines = np.moveaxis(x, -1 if axis is None else axis, -1)
    line = int(rng.integers(len(lines)))
    if fill == "neg_inf":
        lines[rng.random(lines.shape) < 1 / 3] = -np.inf
    elif fill == "neg_inf_line":
        lines[line] = -np.inf
    elif fill == "all_neg_inf":
        lines[:] = -np.inf
    elif fill == "low_line":
        lines[line] -= 150
    elif fill == "constant":
        lines[:] = lines[0, 0]
    return {"x": x} if axis is None else {"x": x, "axis": axis}


def solve(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """y: the shape and dtype of x."""
    seen = ~np.isneginf(x).all(axis=axis, keepdims=True)
    top = np.where(seen, x.max(axis=axis, keepdims=True), 0)
    exponentials = np.exp(x - top)
    # A line of only -inf has exponentials of 0: divided by 1, they stay.
    total = np.where(seen, exponentials.sum(axis=axis, keepdims=True), 1)
    return exponentials / total
