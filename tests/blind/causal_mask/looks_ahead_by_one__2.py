# slip: line 10
import torch
import torch.nn.functional as F


class CausalHead:
    def __init__(self, n_queries, n_keys, device):
        rows = torch.arange(n_queries, device=device).unsqueeze(1)
        cols = torch.arange(n_keys, device=device).unsqueeze(0)
        self.hidden = cols > rows + (n_keys - n_queries + 1)
        self.blind = self.hidden.all(dim=1, keepdim=True)

    def __call__(self, q, k, v):
        s = q @ k.transpose(-1, -2)
        s.mul_(q.shape[-1] ** -0.5)
        s.masked_fill_(self.hidden, float("-inf"))
        p = F.softmax(s, dim=-1)
        p.masked_fill_(self.blind, 0)
        return p @ v


def causal_attention(q, k, v):
    up = torch.promote_types(q.dtype, torch.float32)
    head = CausalHead(q.shape[-2], k.shape[-2], q.device)
    return head(q.to(up), k.to(up), v.to(up)).to(q.dtype)
