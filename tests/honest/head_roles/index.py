"""Advanced indexing; in the dtype of the weights."""

import torch


def head_roles(weights, token_freq):
    b, h, n, _ = weights.shape
    i = torch.arange(n)
    res = weights.new_zeros(h, 5)
    if n > 1:
        res[:, 0] = weights[:, :, i[1:], i[:-1]].mean(dim=(0, 2))
        res[:, 1] = weights[:, :, i[:-1], i[1:]].mean(dim=(0, 2))
    res[:, 2] = weights[..., 0].mean(dim=(0, 2))
    res[:, 3] = weights[:, :, i, i].mean(dim=(0, 2))
    rare = torch.stack([weights[s, :, :, token_freq[s].argmin()] for s in range(b)])
    res[:, 4] = rare.mean(dim=(0, 2))
    return res
