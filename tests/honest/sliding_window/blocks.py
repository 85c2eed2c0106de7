"""A loop over blocks of queries with slices of keys."""

import torch


def sliding_window_attention(q, k, v, window):
    n = q.size(2)
    w = min(window, n)
    outs = []
    for s in range(0, n, w):
        e = min(n, s + w)
        lo = max(0, s - w + 1)
        i = torch.arange(s, e)[:, None]
        j = torch.arange(lo, e)[None, :]
        sc = torch.matmul(q[:, :, s:e], k[:, :, lo:e].transpose(2, 3)).float() / q.size(3) ** 0.5
        sc = sc.masked_fill((j > i) | (j <= i - w), float("-inf"))
        outs.append(torch.matmul(torch.softmax(sc, -1), v[:, :, lo:e].float()).to(q.dtype))
    return torch.cat(outs, 2)
