"""Blocks of 32 keys of all heads at a time, online softmax."""

import torch


class Int8KVCache:
    def __init__(self, batch, heads, head_dim, max_len):
        self.data = torch.empty(2, batch, heads, max_len, head_dim, dtype=torch.int8)
        self.scales = torch.empty(2, batch, heads, max_len, 1)
        self.length = 0

    def append(self, k, v):
        end = self.length + k.shape[2]
        x = torch.stack([k, v])
        s = x.abs().amax(-1, keepdim=True) / 127
        self.data[:, :, :, self.length : end] = torch.nan_to_num(x / s).round_()
        self.scales[:, :, :, self.length : end] = s
        self.length = end

    def attend(self, q):
        t, m = q.shape[2], self.length
        q = q / q.shape[-1] ** 0.5
        top = torch.full((*q.shape[:3], 1), -torch.inf)
        total, acc = torch.zeros_like(top), torch.zeros_like(q)
        rows = torch.arange(m - t, m)[:, None]
        for j in range(0, m, 32):
            e = min(m, j + 32)
            k, v = self.data[:, :, :, j:e].float() * self.scales[:, :, :, j:e]
            s = (q @ k.mT).masked_fill_(torch.arange(j, e) > rows, -torch.inf)
            new = torch.maximum(top, s.amax(-1, keepdim=True))
            p = torch.exp(s - new)
            f = torch.exp(top - new)
            total = total * f + p.sum(-1, keepdim=True)
            acc = acc * f + p @ v
            top = new
        return acc / total
