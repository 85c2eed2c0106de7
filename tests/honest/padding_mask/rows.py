"""A list of rows, each over the keys that it sees."""

import torch


def padded_attention(q, k, v, lengths):
    B, H, N, D = q.shape
    rows = []
    for b in range(B):
        L = int(lengths[b])
        for h in range(H):
            for i in range(N):
                if L == 0:
                    rows.append(torch.zeros(D, dtype=q.dtype) + 0 * q[b, h, i])
                else:
                    s = (k[b, h, :L] * q[b, h, i]).sum(1) / D**0.5
                    w = torch.softmax(s, 0)
                    rows.append((w.unsqueeze(1) * v[b, h, :L]).sum(0))
    return torch.stack(rows).reshape(B, H, N, D)
