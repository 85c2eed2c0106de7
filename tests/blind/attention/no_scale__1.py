# slip: after line 8
from torch import einsum
import torch


def attention(q, k, v):
    ct = torch.float64 if q.dtype == torch.float64 else torch.float32
    s = einsum("bhid,bhjd->bhij", q.to(ct), k.to(ct))
    s -= s.amax(dim=-1, keepdim=True)
    s.exp_()
    s /= s.sum(dim=-1, keepdim=True)
    return einsum("bhij,bhjd->bhid", s, v.to(ct)).to(q.dtype)
