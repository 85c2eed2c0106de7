# slip: after line 10
from torch import einsum
import torch


def attention(q, k, v):
    d = q.shape[-1]
    ct = torch.float64 if q.dtype == torch.float64 else torch.float32
    s = einsum("bhid,bhjd->bhij", q.to(ct), k.to(ct))
    s /= d**0.5
    return einsum("bhij,bhjd->bhid", s, v.to(ct)).to(q.dtype)
