"""One buffer for both, index_copy_, float32 softmax, a Module with buffers."""

import torch
from torch import nn


class KVCache(nn.Module):
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        super().__init__()
        self.register_buffer("kv", torch.empty(2, batch, heads, max_len, head_dim, dtype=dtype))
        self.filled = 0

    def append(self, k, v):
        where = torch.arange(self.filled, self.filled + k.shape[2])
        self.kv[0].index_copy_(2, where, k)
        self.kv[1].index_copy_(2, where, v)
        self.filled = self.filled + k.shape[2]

    def attend(self, q):
        k, v = self.kv.narrow(3, 0, self.filled)
        t = q.shape[-2]
        s = torch.matmul(q, k.mT).float() * q.shape[-1] ** -0.5
        pos = torch.arange(self.filled - t, self.filled)[:, None]
        s[..., :].masked_fill_(torch.arange(self.filled)[None] > pos, -torch.inf)
        return torch.matmul(torch.softmax(s, -1).to(v.dtype), v)
