"""The product of two matrices, by torch."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    m: int = 5,
    n: int = 3,
    k: int = 7,
    block_m: int = 16,
    block_n: int = 16,
    block_k: int = 16,
) -> dict[str, np.ndarray | int]:
    """a: (m, k); b: (k, n)."""
    return {
        "a": rng.standard_normal((m, k)),
        "b": rng.standard_normal((k, n)),
        "block_m": block_m,
        "block_n": block_n,
        "block_k": block_k,
    }


def solve(a: Tensor, b: Tensor, block_m: int, block_n: int, block_k: int) -> Tensor:
    """c: (m, n), in the dtype of a. The blocks are not used."""
    return a @ b
