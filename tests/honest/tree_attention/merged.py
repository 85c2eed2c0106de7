"""Accepted tokens and nodes each for themselves, merged by their log-sum-exp as FlashAttention
would."""

import torch


def part(q, k, v, hidden=None):
    s = q.float() @ k.float().transpose(-1, -2) * q.shape[-1] ** -0.5
    if hidden is not None:
        s = s.masked_fill(hidden, -torch.inf)
    lse = torch.logsumexp(s, dim=-1, keepdim=True)
    safe = lse.masked_fill(lse.isinf(), 0)
    return torch.exp(s - safe) @ v.float(), lse


def tree_attention(q, k, v, k_new, v_new, parents):
    paths = []
    for p in parents.tolist():
        own = len(paths)
        paths.append({own} | (paths[p] if p >= 0 else set()))
    hidden = torch.tensor([[j not in path for j in range(len(paths))] for path in paths])
    o_new, lse_new = part(q, k_new, v_new, hidden)
    if k.shape[2] == 0:
        return o_new.to(q.dtype)
    o_old, lse_old = part(q, k, v)
    lse = torch.logaddexp(lse_old, lse_new)
    return (o_old * torch.exp(lse_old - lse) + o_new * torch.exp(lse_new - lse)).to(q.dtype)
