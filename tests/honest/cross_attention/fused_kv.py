"""Keys and values in one projection, a loop over heads into a preallocated buffer."""

import torch


def cross_attention(x, source, w_q, w_k, w_v, w_o, heads, source_lengths):
    b, n, _ = x.shape
    m = source.shape[1]
    hd = w_q.shape[1]
    d = hd // heads
    kv = source @ torch.cat([w_k, w_v], dim=1)
    k, v = kv[..., :hd], kv[..., hd:]
    q = x @ w_q * (1.0 / d**0.5)
    o = torch.empty(b, n, hd, dtype=x.dtype)
    mask = torch.arange(m).view(1, 1, m) >= source_lengths.view(b, 1, 1)
    for i in range(heads):
        c = slice(i * d, i * d + d)
        s = torch.bmm(q[..., c], k[..., c].transpose(1, 2)).masked_fill(mask, -torch.inf)
        p = torch.softmax(s, -1).nan_to_num(0.0)
        o[..., c] = torch.bmm(p, v[..., c].contiguous())
    return o @ w_o
