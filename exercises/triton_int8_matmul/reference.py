"""The product of two quantised matrices, by its definition."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def make_inputs(
    rng: np.random.Generator, m: int = 3, n: int = 5, k: int = 7, large: bool = False
) -> dict[str, np.ndarray]:
    """a_q: (m, k) int8; a_scale: (m,); b_q: (k, n) int8; b_scale: (n,).

    large  values from 100 to 127, all positive, so that sums are as large as they get; without it
           the last row of three or more is zero, and so is its scale
    """
    low = 100 if large else -127
    a_q, a_scale = rng.integers(low, 128, (m, k)).astype(np.int8), rng.uniform(0.01, 0.1, m)
    if m > 2 and not large:
        a_q[-1], a_scale[-1] = 0, 0
    return {
        "a_q": a_q,
        "a_scale": a_scale,
        "b_q": rng.integers(low, 128, (k, n)).astype(np.int8),
        "b_scale": rng.uniform(0.01, 0.1, n),
    }


def solve(a_q: Tensor, a_scale: Tensor, b_q: Tensor, b_scale: Tensor) -> Tensor:
    """c: (m, n), in the dtype of the scales."""
    # float64 holds any sum of less than 2**38 such products exactly.
    exact = a_q.double() @ b_q.double()
    return exact.to(a_scale.dtype) * a_scale[:, None] * b_scale
