"""Lists of tokens: sinks and a deque."""

from collections import deque

import torch


class SinkCache:
    def __init__(self, batch, heads, head_dim, sinks, window):
        self.n_sinks = sinks
        self.first = []
        self.recent = deque(maxlen=window)

    def append(self, k, v):
        pair = (k.clone(), v.clone())
        if len(self.first) < self.n_sinks:
            self.first.append(pair)
        else:
            self.recent.append(pair)

    def attend(self, q):
        items = self.first + list(self.recent)
        k = torch.cat([a for a, _ in items], 2)
        v = torch.cat([b for _, b in items], 2)
        s = (q @ k.mT) / q.shape[-1] ** 0.5
        return s.softmax(-1) @ v
