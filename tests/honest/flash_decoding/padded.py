"""Keys padded to splits*size and all splits worked on at once."""

import torch
import torch.nn.functional as F


def flash_decoding(q, k, v, splits):
    b, h, m, d = k.shape
    size = (m + splits - 1) // splits
    extra = size * splits - m
    kp = F.pad(k, (0, 0, 0, extra)).view(b, h, splits, size, d)
    vp = F.pad(v, (0, 0, 0, extra)).view(b, h, splits, size, d)
    s = torch.einsum("bhd,bhscd->bhsc", q.squeeze(2), kp).float() / d**0.5
    s = s.masked_fill((torch.arange(size * splits) >= m).view(splits, size), -torch.inf)
    top = s.amax(-1, keepdim=True)
    e = torch.exp(s - top.clamp(min=-1e38))
    acc = torch.einsum("bhsc,bhscd->bhsd", e, vp.float())
    total = e.sum(-1, keepdim=True)
    w = torch.exp(top - top.amax(2, keepdim=True))
    return ((acc * w).sum(2) / (total * w).sum(2)).unsqueeze(2).to(q.dtype)
