# slip: line 17
import torch
from torch import einsum


def causal_attention(q, k, v):
    n, m, d = q.shape[-2], k.shape[-2], q.shape[-1]
    qf, kf, vf = (t if t.dtype == torch.float64 else t.float() for t in (q, k, v))

    # position of each query and key in the sequence
    qpos = torch.arange(n, device=q.device)[:, None] + (m - n)
    kpos = torch.arange(m, device=q.device)[None, :]
    mask = kpos <= qpos

    x = einsum("bhid,bhjd->bhij", qf, kf) / d**0.5
    x = torch.where(mask, x, -torch.inf)
    top = x.amax(-1, keepdim=True)
    p = (x - top).exp_()
    total = p.sum(-1, keepdim=True)
    p = p / total
    return einsum("bhij,bhjd->bhid", p, vf).to(q.dtype)
