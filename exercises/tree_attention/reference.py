"""Attention over a draft tree by its definition: each node attends to its own path."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    m: int = 4,
    t: int = 5,
    d: int = 8,
    tree: str = "random",
) -> dict[str, np.ndarray]:
    """q, k_new, v_new: (b, h, t, d); k, v: (b, h, m, d); parents: (t,).

    A ``random`` tree has one root, a ``forest`` several; in a ``star`` all others are its root's
    children.
    """
    parents = np.array([-1 if i == 0 else int(rng.integers(i)) for i in range(t)])
    if tree == "forest":
        parents[rng.random(t) < 0.4] = -1
    elif tree == "chain":
        parents = np.arange(t) - 1
    elif tree == "star":
        parents[1:] = 0
    return {
        "q": rng.standard_normal((b, h, t, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
        "k_new": rng.standard_normal((b, h, t, d)),
        "v_new": rng.standard_normal((b, h, t, d)),
        "parents": parents,
    }


def solve(q: Tensor, k: Tensor, v: Tensor, k_new: Tensor, v_new: Tensor, parents: Tensor) -> Tensor:
    """o: (b, h, t, d)."""
    rows = []
    for node in range(q.shape[2]):
        path, at = [], node
        while at >= 0:
            path.append(at)
            at = int(parents[at])
        keys = torch.cat([k, k_new[:, :, path]], dim=2)
        values = torch.cat([v, v_new[:, :, path]], dim=2)
        scores = q[:, :, node : node + 1] @ keys.transpose(-2, -1) / q.shape[-1] ** 0.5
        rows.append(torch.softmax(scores, dim=-1) @ values)
    return torch.cat(rows, dim=2)
