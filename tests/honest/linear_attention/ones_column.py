"""Values with a column of ones: numerator and normaliser in one product."""

import torch
from torch.nn.functional import pad


def phi(x):
    return x.clamp(min=0) + x.clamp(max=0).exp()


def linear_attention(q, k, v, causal=False):
    q, k = phi(q), phi(k)
    vv = pad(v, (0, 1), value=1.0)
    if causal:
        c = 8
        S = vv.new_zeros(*q.shape[:2], q.shape[3], vv.shape[3], dtype=torch.float32)
        res = torch.empty(vv.shape, dtype=torch.float32)
        for s in range(0, q.shape[2], c):
            qc, kc, vc = (t[:, :, s : s + c].float() for t in (q, k, vv))
            res[:, :, s : s + c] = qc @ S + torch.tril(qc @ kc.transpose(-1, -2)) @ vc
            S.add_(kc.transpose(-1, -2) @ vc)
    else:
        res = q @ (k.transpose(-1, -2) @ vv)
    return (res[..., :-1] / res[..., -1:]).to(v.dtype)
