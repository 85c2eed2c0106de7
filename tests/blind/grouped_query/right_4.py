import math

import torch

CHUNK = 64  # keys that are converted at a time


def grouped_query_attention(q, k, v):
    B, H, N, D = q.shape
    G, M = k.shape[1], k.shape[2]
    size = H // G
    work = torch.promote_types(q.dtype, torch.float32)
    result = torch.empty_like(q)
    for group in range(G):
        heads = slice(group * size, (group + 1) * size)
        queries = q[:, heads].reshape(B, size * N, D).to(work)
        s = torch.empty(B, size * N, M, dtype=work)
        for c in range(0, M, CHUNK):
            keys = k[:, group, c : c + CHUNK].to(work)
            s[:, :, c : c + CHUNK] = torch.bmm(queries, keys.mT)
        p = torch.softmax(s.div_(math.sqrt(D)), dim=2)
        acc = torch.zeros_like(queries)
        for c in range(0, M, CHUNK):
            values = v[:, group, c : c + CHUNK].to(work)
            acc.baddbmm_(p[:, :, c : c + CHUNK], values)
        result[:, heads] = acc.reshape(B, size, N, D).to(q.dtype)
    return result
