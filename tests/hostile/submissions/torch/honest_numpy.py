"""Computes all of it in numpy, and no more than is needed.

exercise: causal_mask
passes
"""

import numpy as np
import torch


def causal_attention(q, k, v):
    n, m = q.shape[-2], k.shape[-2]
    queries, keys, values = (
        np.asarray(x.float() if x.dtype == torch.bfloat16 else x) for x in (q, k, v)
    )
    scores = queries * q.shape[-1] ** -0.5 @ keys.swapaxes(-1, -2)
    hidden = np.triu(np.ones((n, m), bool), m - n + 1)
    scores = np.where(hidden, -np.inf, scores)
    top = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isneginf(top), 0, top))
    total = weights.sum(-1, keepdims=True)
    o = weights @ values / np.where(total == 0, 1, total)
    return torch.from_numpy(np.ascontiguousarray(o)).to(q.dtype)
