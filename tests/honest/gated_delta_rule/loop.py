"""Token by token."""

import torch


def gated_delta_rule(q, k, v, alpha, beta, chunk):
    wide = torch.float64 if v.dtype == torch.float64 else torch.float32
    b, h, n, d = q.shape
    s = torch.zeros(b, h, d, v.shape[-1], dtype=wide)
    o = torch.empty_like(v)
    for t in range(n):
        kt, vt, qt = (x[:, :, t].to(wide) for x in (k, v, q))
        s = s * alpha[:, :, t, None, None].to(wide)
        delta = (vt - torch.einsum("bhd,bhde->bhe", kt, s)) * beta[:, :, t, None].to(wide)
        s = s + kt[..., :, None] * delta[..., None, :]
        o[:, :, t] = torch.einsum("bhd,bhde->bhe", qt, s)
    return o, s
