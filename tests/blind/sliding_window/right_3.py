import torch
from torch import einsum


def sliding_window_attention(q, k, v, window):
    n, d = q.shape[-2:]
    w = min(window, n)
    ct = torch.float64 if q.dtype == torch.float64 else torch.float32

    def windows(x):
        front = torch.zeros(*x.shape[:2], w - 1, d, dtype=ct)
        return torch.cat((front, x.to(ct)), dim=2).unfold(2, w, 1)  # b h n d w

    x = einsum("bhnd,bhndw->bhnw", q.to(ct), windows(k)) / d**0.5
    index = torch.arange(n)[:, None] + torch.arange(w) - (w - 1)
    x = torch.where(index >= 0, x, -torch.inf)
    x = (x - x.amax(-1, keepdim=True)).exp()
    x = x / x.sum(-1, keepdim=True)
    return einsum("bhnw,bhndw->bhnd", x, windows(v)).to(q.dtype)
