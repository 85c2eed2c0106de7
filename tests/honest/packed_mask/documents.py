"""Document by document, with lists of slices from unique_consecutive."""

import torch


def packed_attention(q, k, v, segments):
    o = torch.empty_like(q)
    for b in range(q.shape[0]):
        start = 0
        for count in torch.unique_consecutive(segments[b], return_counts=True)[1].tolist():
            s = slice(start, start + count)
            sc = q[b, :, s] @ k[b, :, s].mT / q.shape[-1] ** 0.5
            sc = sc + torch.triu(torch.full((count, count), -torch.inf), 1).to(sc.dtype)
            o[b, :, s] = sc.softmax(-1) @ v[b, :, s]
            start += count
    return o
