"""nn.Linear layers loaded with the weights."""

import torch
from torch import nn


class MHA(nn.Module):
    def __init__(self, w_q, w_k, w_v, w_o, heads):
        super().__init__()
        self.h = heads
        D, hd = w_q.shape
        self.qkv = nn.Linear(D, 3 * hd, bias=False, dtype=w_q.dtype)
        self.out = nn.Linear(hd, D, bias=False, dtype=w_q.dtype)
        with torch.no_grad():
            self.qkv.weight.copy_(torch.cat([w_q, w_k, w_v], 1).T)
            self.out.weight.copy_(w_o.T)

    def forward(self, x, causal):
        b, n, _ = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (t.reshape(b, n, self.h, -1).permute(0, 2, 1, 3) for t in (q, k, v))
        s = (q @ k.transpose(-2, -1)) / q.size(-1) ** 0.5
        if causal:
            mask = torch.full((n, n), float("-inf"), dtype=s.dtype).triu(1)
            s = s + mask
        y = (s.softmax(dim=-1) @ v).transpose(1, 2).contiguous().view(b, n, -1)
        return self.out(y)


@torch.no_grad()
def multi_head_attention(x, w_q, w_k, w_v, w_o, heads, causal=False):
    return MHA(w_q, w_k, w_v, w_o, heads)(x, causal)
