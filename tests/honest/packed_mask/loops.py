"""Every token looks back until the document begins."""

import torch


def packed_attention(q, k, v, segments):
    out = torch.zeros_like(q)
    for b in range(q.shape[0]):
        ids = segments[b].tolist()
        for i in range(len(ids)):
            first = i
            while first > 0 and ids[first - 1] == ids[i]:
                first -= 1
            kk, vv = k[b, :, first : i + 1], v[b, :, first : i + 1]
            s = (kk * q[b, :, i : i + 1]).sum(-1) * q.shape[-1] ** -0.5
            w = torch.softmax(s.float(), -1).to(q.dtype)
            out[b, :, i] = (w.unsqueeze(-1) * vv).sum(1)
    return out
