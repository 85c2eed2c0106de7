"""The output projection as a sum over heads; rows of queries one by one when causal."""

from functools import reduce

import torch


def head(x, wq, wk, wv, wo, causal):
    q, k, v = x @ wq, x @ wk, x @ wv
    scale = wq.shape[1] ** -0.5
    if not causal:
        return torch.softmax(q @ k.mT * scale, -1) @ v @ wo
    rows = [
        torch.softmax(q[:, i : i + 1] @ k[:, : i + 1].mT * scale, -1) @ v[:, : i + 1]
        for i in range(x.shape[1])
    ]
    return torch.cat(rows, 1) @ wo


def multi_head_attention(x, w_q, w_k, w_v, w_o, heads, causal=False):
    parts = zip(w_q.chunk(heads, 1), w_k.chunk(heads, 1), w_v.chunk(heads, 1), w_o.chunk(heads, 0))
    return reduce(torch.add, (head(x, *p, causal) for p in parts))
