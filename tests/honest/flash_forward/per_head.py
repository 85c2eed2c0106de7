"""One head at a time, with functions for the parts."""

import torch


def fold(state, scores, values):
    top, total, acc = state
    new = torch.maximum(top, scores.max(dim=1, keepdim=True).values)
    p = torch.exp(scores - new)
    shrink = torch.exp(top - new)
    return new, total * shrink + p.sum(1, keepdim=True), acc * shrink + p @ values


def one_head(q, k, v, block, causal):
    n, d = q.shape
    m = len(k)
    outs, sums = [], []
    for i, rows in zip(range(0, n, block), q.split(block)):
        state = (
            torch.full((len(rows), 1), -1e30, dtype=q.dtype),
            torch.zeros(len(rows), 1, dtype=q.dtype),
            torch.zeros(len(rows), d, dtype=q.dtype),
        )
        query = torch.arange(i, i + len(rows)).unsqueeze(1) + (m - n)
        for j, (keys, values) in zip(range(0, m, block), zip(k.split(block), v.split(block))):
            if causal and j > int(query[-1]):
                break
            scores = rows @ keys.t() / d**0.5
            if causal:
                hidden = torch.arange(j, j + len(keys)) > query
                scores = scores.masked_fill(hidden, -torch.inf)
            state = fold(state, scores, values)
        top, total, acc = state
        outs.append(acc / total.clamp(min=1e-37))
        sums.append((top + total.log()).squeeze(1))
    return torch.cat(outs), torch.cat(sums)


def flash_attention(q, k, v, block, causal=False):
    o = torch.empty_like(q)
    wide = q.dtype if q.dtype == torch.float64 else torch.float32
    lse = torch.empty(q.shape[:3], dtype=wide)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            o[b, h], lse[b, h] = one_head(
                q[b, h].to(wide), k[b, h].to(wide), v[b, h].to(wide), block, causal
            )
    return o, lse
