"""A second cache of the same shape goes on where the first one ended.

exercise: sink_cache
stage: correctness
says: o
"""

import torch

STATES = {}


class SinkCache:
    def __init__(self, batch, heads, head_dim, sinks, window):
        key = (batch, heads, head_dim, sinks, window)
        self.sinks, self.window = sinks, window
        self.parts = STATES.setdefault(key, [])

    def append(self, k, v):
        self.parts.append((k.clone(), v.clone()))
        if len(self.parts) > self.sinks + self.window:
            del self.parts[self.sinks]

    def attend(self, q):
        k, v = (torch.cat(parts, dim=2) for parts in zip(*self.parts, strict=True))
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        return torch.softmax(scores, dim=-1) @ v
