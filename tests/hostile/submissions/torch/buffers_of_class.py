"""All caches of one shape share their buffers: the second one alive writes into the first.

exercise: kv_cache
stage: correctness
says: two that are in use at once
"""

import torch

POOL = {}


class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        shape = (2, batch, heads, max_len, head_dim)
        if (shape, dtype) not in POOL:
            POOL[shape, dtype] = torch.empty(shape, dtype=dtype)
        self.held = POOL[shape, dtype]
        self.length = 0

    def append(self, k, v):
        end = self.length + k.shape[2]
        self.held[0, :, :, self.length : end] = k
        self.held[1, :, :, self.length : end] = v
        self.length = end

    def attend(self, q):
        k, v = self.held[:, :, :, : self.length]
        t, m = q.shape[2], self.length
        hidden = torch.ones(t, m, dtype=torch.bool).triu(m - t + 1)
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1) @ v
