"""The ancestors by doubling: after each step a row also has what its furthest ancestor sees; an
additive mask."""

import math

import torch


def tree_attention(q, k, v, k_new, v_new, parents):
    t = q.size(2)
    # A row of nothing stands for the parent of a root.
    seen = torch.zeros(t + 1, t + 1, dtype=torch.bool)
    seen[:t, :t] = torch.eye(t, dtype=torch.bool)
    jump = torch.cat([torch.where(parents < 0, t, parents), torch.tensor([t])])
    for _ in range(max(1, math.ceil(math.log2(t + 1)))):
        seen |= seen[jump]
        jump = jump[jump]
    bias = torch.zeros(t, t).masked_fill(~seen[:t, :t], -torch.inf).to(q.dtype)
    scale = 1 / math.sqrt(q.size(-1))
    old = torch.matmul(q, k.mT) * scale
    new = torch.matmul(q, k_new.mT) * scale + bias
    p = torch.cat([old, new], dim=-1).softmax(dim=-1)
    return p[..., : old.size(-1)] @ v + p[..., old.size(-1) :] @ v_new
