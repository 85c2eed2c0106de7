import math

import torch


def sliding_window_attention(q, k, v, window):
    B, H, N, D = q.shape
    work = torch.promote_types(q.dtype, torch.float32)
    size = min(window, N)
    tiles = []
    for lo in range(0, N, size):
        hi = min(lo + size, N)
        left = max(0, lo - window + 1)
        Q = q[:, :, lo:hi].to(work)
        K = k[:, :, left:hi].to(work)
        V = v[:, :, left:hi].to(work)
        age = torch.arange(lo, hi).view(-1, 1) - torch.arange(left, hi).view(1, -1)
        att = Q @ K.transpose(2, 3)
        att.div_(math.sqrt(D))
        att.masked_fill_((age < 0) | (age >= window), -math.inf)
        att = torch.softmax(att, dim=3)
        tiles.append((att @ V).to(q.dtype))
    return torch.cat(tiles, dim=2)
