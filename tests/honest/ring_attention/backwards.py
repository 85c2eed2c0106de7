"""Shards go round the other way; rows of the shard one by one."""

import torch


def ring_attention(q_shards, k_shards, v_shards, causal=False):
    R = len(q_shards)
    S = q_shards[0].shape[2]
    res = []
    for r, q in enumerate(q_shards):
        m = torch.full(q.shape[:3] + (1,), float("-inf"))
        l = torch.zeros_like(m)
        a = torch.zeros(q.shape)
        for hop in range(R):
            o = (r + hop) % R
            s = q.float() @ k_shards[o].float().transpose(2, 3) * q.shape[3] ** -0.5
            if causal:
                for i in range(S):
                    for j in range(S):
                        if o * S + j > r * S + i:
                            s[:, :, i, j] = float("-inf")
            new = torch.maximum(m, s.max(-1, keepdim=True).values)
            safe = torch.where(new == float("-inf"), torch.zeros_like(new), new)
            p = torch.exp(s - safe)
            c = torch.exp(m - safe)
            l = c * l + p.sum(-1, keepdim=True)
            a = c * a + p @ v_shards[o].float()
            m = new
        res.append((a / l).to(q.dtype))
    return res
