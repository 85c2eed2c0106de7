"""Attention writes into a buffer of the cache and hands that out, every time.

exercise: sink_cache
stage: correctness
says: changed a result that it had returned before
"""

import torch


class SinkCache:
    def __init__(self, batch, heads, head_dim, sinks, window):
        self.sinks, self.window = sinks, window
        self.parts = []
        self.out = None

    def append(self, k, v):
        self.parts.append((k.clone(), v.clone()))
        if len(self.parts) > self.sinks + self.window:
            del self.parts[self.sinks]

    def attend(self, q):
        k, v = (torch.cat(parts, dim=2) for parts in zip(*self.parts, strict=True))
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        if self.out is None:
            self.out = torch.empty_like(q)
        return self.out.copy_(torch.softmax(scores, dim=-1) @ v)
