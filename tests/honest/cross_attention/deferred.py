"""Deferred normalisation over absorbed weights in the order of the products."""

import torch


def cross_attention(x, source, w_q, w_k, w_v, w_o, heads, source_lengths):
    d = w_q.shape[1] // heads
    hidden = (torch.arange(source.shape[1]) >= source_lengths[:, None])[:, None]
    total = 0
    for wq, wk, wv, wo in zip(w_q.split(d, 1), w_k.split(d, 1), w_v.split(d, 1), w_o.split(d, 0)):
        s = (x @ wq) @ (source @ wk).transpose(1, 2) / d**0.5
        s.masked_fill_(hidden, -torch.inf)
        s -= s.amax(-1, keepdim=True).clamp_(min=-3e38)
        e = s.exp_()
        o = e @ (source @ wv) / e.sum(-1, keepdim=True).clamp(min=1e-20)
        total = total + o @ wo
    return total
