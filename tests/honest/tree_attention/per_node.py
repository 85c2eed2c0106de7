"""One node after the other, over the keys of its path."""

import torch
import torch.nn.functional as F


def tree_attention(q, k, v, k_new, v_new, parents):
    def path_of(i):
        return [] if i < 0 else [*path_of(int(parents[i])), i]

    o = torch.empty_like(q)
    for i in range(q.shape[2]):
        path = torch.tensor(path_of(i))
        keys = torch.cat([k, k_new.index_select(2, path)], 2)
        values = torch.cat([v, v_new.index_select(2, path)], 2)
        w = F.softmax((q[:, :, i, None] * keys).sum(-1) * q.shape[-1] ** -0.5, dim=-1)
        o[:, :, i] = (w[..., None] * values).sum(2)
    return o
