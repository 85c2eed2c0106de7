"""A wrong answer to flash_forward: the right numbers at the wrong price."""

import torch


def flash_attention(q, k, v, block, causal=False):
    n, m, d = q.shape[-2], k.shape[-2], q.shape[-1]
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    scores = (q * d**-0.5 @ k.transpose(-2, -1)).to(wide)
    if causal:
        future = torch.ones(n, m, dtype=torch.bool).triu(m - n + 1)
        scores = scores.masked_fill(future, -torch.inf)
    lse = torch.logsumexp(scores, dim=-1)
    finite = lse.masked_fill(lse == -torch.inf, 0)
    weights = torch.exp(scores - finite[..., None])
    return weights.to(v.dtype) @ v, lse
