"""Keys and values side by side, a mask of t rows and m + t columns, pointers that jump."""

import torch


def tree_attention(q, k, v, k_new, v_new, parents):
    t, m = q.shape[2], k.shape[2]
    seen = torch.eye(t, dtype=torch.bool)
    at = parents.clone()
    while bool((at >= 0).any()):
        alive = (at >= 0).nonzero().flatten()
        seen[alive, at[alive]] = True
        at = torch.where(at >= 0, parents[at.clamp(min=0)], at)
    mask = torch.cat((torch.ones(t, m, dtype=torch.bool), seen), dim=1)
    keys, values = torch.cat((k, k_new), dim=-2), torch.cat((v, v_new), dim=-2)
    scores = torch.einsum("bhtd,bhsd->bhts", q, keys) / q.shape[-1] ** 0.5
    scores = scores.where(mask, float("-inf"))
    return torch.einsum("bhts,bhsd->bhtd", scores.softmax(-1), values)
