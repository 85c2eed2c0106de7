# slip: line 17
import math

import torch


class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        self.k = torch.zeros(batch, heads, max_len, head_dim, dtype=dtype)
        self.v = torch.zeros(batch, heads, max_len, head_dim, dtype=dtype)
        self.length = 0

    def append(self, k, v):
        t = k.shape[2]
        self.k[:, :, self.length : self.length + t] = k
        self.v[:, :, self.length : self.length + t] = v
        self.length += 1

    def attend(self, q):
        b, h, t, d = q.shape
        out = torch.empty(b, h, t, d, dtype=q.dtype)
        for i in range(t):
            end = self.length - t + i + 1
            qi = q[:, :, i : i + 1]
            s = qi @ self.k[:, :, :end].transpose(-1, -2)
            w = torch.softmax(s.float() / math.sqrt(d), dim=-1).to(q.dtype)
            out[:, :, i : i + 1] = w @ self.v[:, :, :end]
        return out
