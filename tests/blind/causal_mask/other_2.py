# slip: line 12
import torch


def causal_attention(q, k, v):
    n, d = q.shape[-2:]
    m = k.shape[-2]
    ct = torch.promote_types(q.dtype, torch.float32)
    logits = (q.to(ct) / d**0.5) @ k.to(ct).mT
    ok = torch.arange(m)[None, :] <= torch.arange(n)[:, None] + (m - n)
    logits = logits.masked_fill(~ok, float("-inf"))
    e = logits.exp()
    z = e.sum(-1, keepdim=True)
    p = torch.where(z > 0, e / z, torch.zeros_like(e))
    return (p @ v.to(ct)).to(q.dtype)
