"""A running state, split after split, per head with mv."""

import math

import torch


def flash_decoding(q, k, v, splits):
    b, h, _, d = q.shape
    m = k.shape[2]
    out = torch.zeros_like(q)
    bounds = [round(i * m / splits) for i in range(splits + 1)]
    for i in range(b):
        for j in range(h):
            top, total, acc = -math.inf, 0.0, torch.zeros(d)
            for lo, hi in zip(bounds, bounds[1:]):
                if lo == hi:
                    continue
                s = torch.mv(k[i, j, lo:hi].float(), q[i, j, 0].float()) / math.sqrt(d)
                t = s.max().item()
                e = torch.exp(s - t)
                new = max(top, t)
                acc = acc * math.exp(top - new) + math.exp(t - new) * (e @ v[i, j, lo:hi].float())
                total = total * math.exp(top - new) + math.exp(t - new) * e.sum().item()
                top = new
            out[i, j, 0] = (acc / total).to(q.dtype)
    return out
