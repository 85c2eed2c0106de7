"""Key tiles outside, all queries against one: the running state of every row is kept."""

import torch


def flash_attention(q, k, v, block, causal=False):
    b, h, n, d = q.shape
    m = k.shape[2]
    wide = torch.promote_types(q.dtype, torch.float32)
    top = torch.full((b, h, n, 1), -torch.inf, dtype=wide)
    total = torch.zeros(b, h, n, 1, dtype=wide)
    acc = torch.zeros(b, h, n, d, dtype=wide)
    for j in range(0, m, block):
        first = max(0, j - (m - n)) if causal else 0
        if first >= n:
            break
        rows = slice(first, n)
        scores = (q[:, :, rows] @ k[:, :, j : j + block].mT).to(wide) * d**-0.5
        if causal:
            query = torch.arange(first, n)[:, None] + m - n
            key = torch.arange(j, j + scores.shape[-1])
            scores.masked_fill_(key > query, -torch.inf)
        new = torch.maximum(top[:, :, rows], scores.amax(-1, keepdim=True))
        safe = new.clamp(min=torch.finfo(wide).min)
        p = torch.exp(scores - safe)
        shrink = torch.exp(top[:, :, rows] - safe)
        total[:, :, rows] = total[:, :, rows] * shrink + p.sum(-1, keepdim=True)
        acc[:, :, rows] = acc[:, :, rows] * shrink + p.to(v.dtype) @ v[:, :, j : j + block]
        top[:, :, rows] = new
    o = acc / torch.where(total == 0, torch.ones_like(total), total)
    return o.to(q.dtype), (top + total.log()).squeeze(-1)
