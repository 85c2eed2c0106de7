"""Keeps the output normalised after every tile instead of dividing once at the end."""

import torch


def flash_attention(q, k, v, block, causal=False):
    n, m, d = q.size(-2), k.size(-2), q.size(-1)
    wide = torch.float64 if q.dtype is torch.float64 else torch.float32
    pieces, logs = [], []
    for i in range(0, n, block):
        rows = q.narrow(-2, i, min(block, n - i)).to(wide)
        out = torch.zeros_like(rows)
        lse = torch.full((*rows.shape[:-1], 1), -torch.inf, dtype=wide)
        for j in range(0, m, block):
            width = min(block, m - j)
            if causal and j > i + rows.size(-2) - 1 + m - n:
                break
            s = torch.matmul(rows, k.narrow(-2, j, width).to(wide).transpose(-2, -1)) * d**-0.5
            if causal:
                delta = torch.arange(j, j + width) - torch.arange(i, i + rows.size(-2))[:, None]
                s = torch.where(delta <= m - n, s, -torch.inf)
            both = torch.logaddexp(lse, s.logsumexp(-1, keepdim=True))
            safe = torch.where(both.isinf(), torch.zeros_like(both), both)
            out = out * (lse - safe).exp() + (s - safe).exp() @ v.narrow(-2, j, width).to(wide)
            lse = both
        pieces.append(out.to(q.dtype))
        logs.append(lse.squeeze(-1))
    return torch.cat(pieces, -2), torch.cat(logs, -1)
