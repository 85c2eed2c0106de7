"""The gated delta rule by its definition: token by token, in float32 at least."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

GATES = {"usual": (0.6, 1.0), "open": (1.0, 1.0), "strong": (0.001, 0.1)}
"""From where to where the alphas are drawn."""


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 8,
    d: int = 4,
    e: int = 4,
    chunk: int = 4,
    gates: str = "usual",
) -> dict[str, np.ndarray | int]:
    """q, k: (b, h, n, d), k of length 1; v: (b, h, n, e); alpha, beta: (b, h, n)."""
    k = rng.standard_normal((b, h, n, d))
    return {
        "q": rng.standard_normal((b, h, n, d)),
        "k": k / np.linalg.norm(k, axis=-1, keepdims=True),
        "v": rng.standard_normal((b, h, n, e)),
        "alpha": rng.uniform(*GATES[gates], (b, h, n)),
        "beta": rng.uniform(0.2, 1.0, (b, h, n)),
        "chunk": chunk,
    }


def solve(
    q: Tensor, k: Tensor, v: Tensor, alpha: Tensor, beta: Tensor, chunk: int
) -> tuple[Tensor, Tensor]:
    """o: (b, h, n, e), in the dtype of v; state: (b, h, d, e), in float32 at least."""
    wide = torch.promote_types(v.dtype, torch.float32)
    q, k, x, alpha, beta = (each.to(wide) for each in (q, k, v, alpha, beta))
    state = x.new_zeros(*q.shape[:2], q.shape[-1], x.shape[-1])
    rows = []
    for t in range(q.shape[2]):
        now = slice(t, t + 1)
        state = alpha[:, :, now, None] * state
        error = x[:, :, now] - k[:, :, now] @ state
        state = state + beta[:, :, now, None] * k[:, :, now].transpose(-2, -1) @ error
        rows.append(q[:, :, now] @ state)
    return torch.cat(rows, dim=2).to(v.dtype), state
