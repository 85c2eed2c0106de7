# slip: line 10
import math
import torch


def causal_attention(q, k, v):
    b, h, n, d = q.shape
    m = k.size(2)
    ct = torch.promote_types(q.dtype, torch.float32)
    s = torch.einsum("bhnd,bhmd->bhnm", q.to(ct), k.to(ct)) / math.sqrt(m)
    hidden = torch.ones(n, m, device=q.device).triu(m - n + 1).bool()
    s.masked_fill_(hidden, -math.inf)
    p = s.softmax(-1).nan_to_num(0.0)
    return torch.einsum("bhnm,bhmd->bhnd", p, v.to(ct)).to(q.dtype)
