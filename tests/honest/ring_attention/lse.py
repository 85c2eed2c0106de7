"""Normalised partial results with lse, merged after each hop."""

import torch


def block(q, k, v, mask):
    s = q @ k.mT / q.shape[-1] ** 0.5
    if mask is not None:
        s = s.masked_fill(mask, -torch.inf)
    lse = torch.logsumexp(s, -1, keepdim=True)
    return torch.exp(s - lse) @ v, lse


def ring_attention(q_shards, k_shards, v_shards, causal=False):
    r, s = len(q_shards), q_shards[0].shape[2]
    tri = torch.ones(s, s, dtype=torch.bool).triu(1) if causal else None
    outs = []
    for rank in range(r):
        q = q_shards[rank].float()
        o = lse = None
        for step in range(r):
            src = (rank - step) % r
            if causal and src > rank:
                continue
            po, pl = block(
                q, k_shards[src].float(), v_shards[src].float(), tri if src == rank else None
            )
            if o is None:
                o, lse = po, pl
            else:
                new = torch.logaddexp(lse, pl)
                o = o * torch.exp(lse - new) + po * torch.exp(pl - new)
                lse = new
        outs.append(o.to(q_shards[rank].dtype))
    return outs
