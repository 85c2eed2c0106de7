"""The online softmax in powers of two, as the kernels do it."""

import math

import torch

LOG2E = 1.4426950408889634


def flash_attention(q, k, v, block, causal=False):
    n, d = q.shape[-2:]
    m = k.shape[-2]
    acc_type = torch.float64 if q.dtype == torch.float64 else torch.float32
    o = torch.empty_like(q)
    lse = torch.empty(q.shape[:-1], dtype=acc_type)
    scale = LOG2E / math.sqrt(d)
    for start in range(0, n, block):
        stop = min(start + block, n)
        tile = q[..., start:stop, :].to(acc_type) * scale
        m_i = torch.full(tile.shape[:-1], -1e38, dtype=acc_type)
        l_i = torch.zeros(tile.shape[:-1], dtype=acc_type)
        acc = torch.zeros(tile.shape, dtype=acc_type)
        last = stop - 1 + m - n if causal else m - 1
        for key in range(0, min(m, last + 1), block):
            end = min(key + block, m)
            s = tile @ k[..., key:end, :].to(acc_type).transpose(-1, -2)
            if causal:
                future = torch.arange(key, end) > torch.arange(start, stop)[:, None] + m - n
                s = s.masked_fill(future, -torch.inf)
            m_new = torch.maximum(m_i, s.max(dim=-1).values)
            p = torch.exp2(s - m_new[..., None])
            alpha = torch.exp2(m_i - m_new)
            l_i = l_i * alpha + p.sum(-1)
            acc = acc * alpha[..., None] + p @ v[..., key:end, :].to(acc_type)
            m_i = m_new
        empty = l_i == 0
        o[..., start:stop, :] = acc / l_i.masked_fill(empty, 1.0)[..., None]
        lse[..., start:stop] = (m_i / LOG2E + l_i.log()).masked_fill(empty, -torch.inf)
    return o, lse
