"""Each key tile is attended to by itself; results are merged by their log-sum-exps."""

import torch


def attend(q, k, v, hidden):
    scores = q @ k.transpose(-2, -1)
    if hidden is not None:
        scores = scores.masked_fill(hidden, -torch.inf)
    lse = torch.logsumexp(scores, dim=-1, keepdim=True)
    p = torch.exp(scores - lse.clamp(min=-1e30))
    return p @ v, lse


def merge(one, other):
    (o1, l1), (o2, l2) = one, other
    lse = torch.logaddexp(l1, l2)
    safe = lse.clamp(min=-1e30)
    return o1 * torch.exp(l1 - safe) + o2 * torch.exp(l2 - safe), lse


def flash_attention(q, k, v, block, causal=False):
    n, d = q.shape[-2:]
    m = k.shape[-2]
    wide = torch.promote_types(q.dtype, torch.float32)
    o = torch.zeros_like(q)
    lse = torch.full(q.shape[:-1], -torch.inf, dtype=wide)
    for i in range(0, n, block):
        rows = q[..., i : i + block, :].to(wide) / d**0.5
        query = torch.arange(i, i + rows.shape[-2])[:, None] + m - n
        state = None
        for j in range(0, m, block):
            if causal and j > query[-1].item():
                break
            keys, values = (x[..., j : j + block, :].to(wide) for x in (k, v))
            crossed = causal and j + keys.shape[-2] - 1 > query[0].item()
            hidden = torch.arange(j, j + keys.shape[-2]) > query if crossed else None
            part = attend(rows, keys, values, hidden)
            state = part if state is None else merge(state, part)
        if state is not None:
            o[..., i : i + block, :] = state[0]
            lse[..., i : i + block] = state[1].squeeze(-1)
    return o, lse
