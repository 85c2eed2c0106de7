"""The control of the hidden matrices: the same tiles, and nothing hidden.

exercise: flash_forward
passes
"""

import torch


def tiled(q, k, v, block, causal):
    n, m = q.shape[-2], k.shape[-2]
    wide = torch.promote_types(q.dtype, torch.float32)
    out, lse = torch.empty_like(q), q.new_empty(q.shape[:-1], dtype=wide)
    for i in range(0, n, block):
        rows = q[..., i : i + block, :] * q.shape[-1] ** -0.5
        query = torch.arange(i, i + rows.shape[-2])[:, None] + m - n
        top = rows.new_full((*rows.shape[:-1], 1), -1e30, dtype=wide)
        total, acc = torch.zeros_like(top), torch.zeros_like(rows, dtype=wide)
        for j in range(0, m, block):
            if causal and j > i + rows.shape[-2] - 1 + m - n:
                break
            scores = (rows @ k[..., j : j + block, :].transpose(-2, -1)).to(wide)
            if causal:
                key = torch.arange(j, j + scores.shape[-1])
                scores = scores.masked_fill(key > query, -torch.inf)
            new = torch.maximum(top, scores.amax(-1, keepdim=True))
            p, shrink = (scores - new).exp(), (top - new).exp()
            total = total * shrink + p.sum(-1, keepdim=True)
            acc = acc * shrink + p.to(v.dtype) @ v[..., j : j + block, :]
            top = new
        out[..., i : i + block, :] = acc / total.masked_fill(total == 0, 1)
        lse[..., i : i + block] = (top + total.log()).squeeze(-1)
    return out, lse


def flash_attention(q, k, v, block, causal=False):
    return tiled(q, k, v, block, causal)
