"""All slots always, those not filled hidden by positions."""

import torch


class SinkCache:
    def __init__(self, batch, heads, head_dim, sinks, window):
        self.slots = torch.full((sinks + window,), -1)
        self.shape = (batch, heads, sinks + window, head_dim)
        self.sinks, self.window, self.t = sinks, window, 0

    def append(self, k, v):
        if self.t == 0:
            self.k = torch.zeros(self.shape, dtype=k.dtype)
            self.v = torch.zeros(self.shape, dtype=v.dtype)
        slot = self.t if self.t < self.sinks else self.sinks + (self.t - self.sinks) % self.window
        self.k[:, :, slot] = k[:, :, 0]
        self.v[:, :, slot] = v[:, :, 0]
        self.slots[slot] = self.t
        self.t += 1

    def attend(self, q):
        s = torch.matmul(q, self.k.transpose(2, 3)) * q.shape[-1] ** -0.5
        s = s.masked_fill(self.slots < 0, -torch.inf)
        return torch.matmul(torch.softmax(s, -1), self.v)
