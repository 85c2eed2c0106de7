# slip: after line 11
import torch
from torch import einsum


def grouped_query_attention(q, k, v):
    b, h, n, d = q.shape
    g = k.shape[1]
    ct = torch.float64 if q.dtype == torch.float64 else torch.float32
    qg = q.unflatten(1, (g, h // g)).to(ct)
    x = einsum("bgrnd,bgmd->bgrnm", qg, k.to(ct))
    x.sub_(x.amax(dim=-1, keepdim=True)).exp_()
    x.div_(x.sum(dim=-1, keepdim=True))
    y = einsum("bgrnm,bgmd->bgrnd", x, v.to(ct))
    return y.flatten(1, 2).to(q.dtype)
