"""Keys kept transposed, (b, h, d, max_len)."""

import torch


class KVCache:
    def __init__(self, batch, heads, head_dim, max_len, dtype):
        self.kt = torch.zeros((batch, heads, head_dim, max_len), dtype=dtype)
        self.v = torch.zeros((batch, heads, max_len, head_dim), dtype=dtype)
        self.pos = 0

    def append(self, k, v):
        for i in range(k.shape[2]):
            self.kt[..., self.pos] = k[:, :, i]
            self.v[:, :, self.pos] = v[:, :, i]
            self.pos += 1

    def attend(self, q):
        t, m = q.shape[2], self.pos
        s = (q @ self.kt[..., :m]) / (q.shape[-1] ** 0.5)
        s = s + torch.triu(torch.full((t, m), float("-inf"), dtype=s.dtype), diagonal=m - t + 1)
        e = torch.exp(s - s.amax(-1, keepdim=True))
        return (e @ self.v[:, :, :m]) / e.sum(-1, keepdim=True)
