# slip: line 12
import math

import torch


def sliding_window_attention(q, k, v, window):
    b, h, n, d = q.shape
    ct = torch.promote_types(q.dtype, torch.float32)
    out = torch.empty(b, h, n, d, dtype=q.dtype)
    for i in range(n):
        start = max(0, i - window)
        keys = k[:, :, start : i + 1].to(ct)
        values = v[:, :, start : i + 1].to(ct)
        s = (q[:, :, i : i + 1].to(ct) * keys).sum(-1) / math.sqrt(d)
        w = torch.softmax(s, dim=-1)
        out[:, :, i] = (w.unsqueeze(-1) * values).sum(-2).to(q.dtype)
    return out
