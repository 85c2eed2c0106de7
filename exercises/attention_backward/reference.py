"""The gradients of attention by definition: the forward pass, differentiated by autograd."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def make_inputs(
    rng: np.random.Generator,
    b: int = 1,
    h: int = 1,
    n: int = 4,
    m: int = 4,
    d: int = 8,
    causal: bool | None = None,
) -> dict[str, np.ndarray | bool]:
    """q, grad_o: (b, h, n, d); k, v: (b, h, m, d). A causal of None is left out."""
    inputs: dict[str, np.ndarray | bool] = {
        "q": rng.standard_normal((b, h, n, d)),
        "k": rng.standard_normal((b, h, m, d)),
        "v": rng.standard_normal((b, h, m, d)),
        "grad_o": rng.standard_normal((b, h, n, d)),
    }
    return inputs if causal is None else inputs | {"causal": causal}


def solve(
    q: Tensor, k: Tensor, v: Tensor, grad_o: Tensor, causal: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """dq: (b, h, n, d); dk, dv: (b, h, m, d)."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    leaves = [x.detach().clone().requires_grad_() for x in (q, k, v)]
    with torch.enable_grad():
        scores = leaves[0] @ leaves[1].transpose(-2, -1) / d**0.5
        if causal:
            hidden = torch.arange(m) > torch.arange(n)[:, None] + m - n
            # A finite number keeps rows that see nothing free of NaN; the second mask empties
            # them.
            scores = scores.masked_fill(hidden, -1e30)
            weights = torch.softmax(scores, dim=-1).masked_fill(hidden, 0)
        else:
            weights = torch.softmax(scores, dim=-1)
        # A number whose gradients are those that grad_o asks for.
        dq, dk, dv = torch.autograd.grad((weights @ leaves[2] * grad_o).sum(), leaves)
    return dq, dk, dv
