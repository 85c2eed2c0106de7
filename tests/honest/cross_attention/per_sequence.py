"""Cuts each source to its length before it is projected."""

import torch


def cross_attention(x, source, w_q, w_k, w_v, w_o, heads, source_lengths):
    out = torch.zeros_like(x)
    d = w_q.shape[1] // heads
    for i, L in enumerate(source_lengths.tolist()):
        if L == 0:
            continue
        q = (x[i] @ w_q).view(-1, heads, d).transpose(0, 1)
        k = (source[i, :L] @ w_k).view(L, heads, d).transpose(0, 1)
        v = (source[i, :L] @ w_v).view(L, heads, d).transpose(0, 1)
        w = torch.softmax(q @ k.transpose(1, 2) / d**0.5, -1)
        out[i] = (w @ v).transpose(0, 1).reshape(-1, heads * d) @ w_o
    return out
