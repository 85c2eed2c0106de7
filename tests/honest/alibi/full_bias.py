"""The whole (h, n, m) bias, with the paper's recursive slopes, added out of place."""

from functools import lru_cache

import torch


@lru_cache
def get_slopes(n):
    start = 2 ** (-8 / n)
    return [start * start**i for i in range(n)]


def alibi_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    n, m = q.size(-2), k.size(-2)
    slopes = torch.tensor(get_slopes(q.size(1)), device=q.device).view(-1, 1, 1)
    pos_q = torch.arange(m - n, m, device=q.device).unsqueeze(1)
    pos_k = torch.arange(m, device=q.device).unsqueeze(0)
    rel = pos_k - pos_q
    bias = slopes * rel
    bias = bias.masked_fill(rel > 0, float("-inf"))
    scores = torch.einsum("bhid,bhjd->bhij", q, k).float() / q.size(-1) ** 0.5
    weights = (scores + bias).softmax(-1)
    return torch.einsum("bhij,bhjd->bhid", weights, v.float()).to(q.dtype)
