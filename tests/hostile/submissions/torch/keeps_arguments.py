"""Keeps the caller's own keys and values, which the caller then writes the next token into.

exercise: kv_cache
stage: correctness
says: overwritten after each call
"""

import torch


class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        self.parts = []

    def append(self, k, v):
        self.parts.append((k, v))

    def attend(self, q):
        k, v = (torch.cat(parts, dim=2) for parts in zip(*self.parts, strict=True))
        t, m = q.shape[2], k.shape[2]
        hidden = torch.ones(t, m, dtype=torch.bool).triu(m - t + 1)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1) @ v
