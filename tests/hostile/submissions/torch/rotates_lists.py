"""Passes the shards around in the caller's own lists, which are empty at the end.

exercise: ring_attention
stage: correctness
says: changed a list that it was given
"""

import torch


def ring_attention(q_shards, k_shards, v_shards, causal=False):
    keys, values = [], []
    while k_shards:
        keys.append(k_shards.pop(0))
        values.append(v_shards.pop(0))
    k, v = torch.cat(keys, dim=2), torch.cat(values, dim=2)
    out = []
    for rank, q in enumerate(q_shards):
        s = q.shape[2]
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        if causal:
            place = torch.arange(rank * s, rank * s + s)[:, None]
            scores = scores.masked_fill(torch.arange(k.shape[2]) > place, -torch.inf)
        out.append(torch.softmax(scores, dim=-1) @ v)
    return out
