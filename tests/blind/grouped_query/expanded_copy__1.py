# slip: lines 11, 12
import math

import torch


def grouped_query_attention(q, k, v):
    h, d = q.shape[1], q.shape[-1]
    r = h // k.shape[1]
    ct = torch.promote_types(q.dtype, torch.float32)
    k = k.repeat_interleave(r, dim=1)
    v = v.repeat_interleave(r, dim=1)
    s = q.to(ct) @ k.to(ct).transpose(-1, -2) / math.sqrt(d)
    return (torch.softmax(s, -1) @ v.to(ct)).to(q.dtype)
