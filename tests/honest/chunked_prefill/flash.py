"""Tiles of chunk x chunk with a running maximum."""

import torch


def chunked_prefill(q, k, v, chunk):
    d = q.shape[-1]
    outs = []
    for a, qc in enumerate(q.split(chunk, 2)):
        qc = qc.float() / d**0.5
        m = torch.full(qc.shape[:3], -torch.inf)
        l = torch.zeros(qc.shape[:3])
        acc = torch.zeros_like(qc)
        for c, (kc, vc) in enumerate(zip(k.split(chunk, 2), v.split(chunk, 2))):
            if c > a:
                break
            s = qc @ kc.float().transpose(2, 3)
            if c == a:
                s = s + torch.full(s.shape[-2:], -torch.inf).triu(1)
            new = torch.maximum(m, s.max(-1).values)
            p = torch.exp(s - new[..., None])
            f = torch.exp(m - new)
            l = l * f + p.sum(-1)
            acc = acc * f[..., None] + p @ vc.float()
            m = new
        outs.append((acc / l[..., None]).to(q.dtype))
    return torch.cat(outs, 2)
