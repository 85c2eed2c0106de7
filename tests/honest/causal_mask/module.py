"""An nn.Module with a buffer, called through a lambda."""

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, q, k, v):
        n, m = q.shape[-2], k.shape[-2]
        position = torch.arange(m - n, m).unsqueeze(-1)
        visible = torch.arange(m) <= position
        scores = torch.matmul(q, k.transpose(-2, -1)).div(q.shape[-1] ** 0.5)
        scores = scores.masked_fill(visible.logical_not(), -torch.inf)
        return torch.matmul(self.softmax(scores).nan_to_num(), v)


attend = Attention()
causal_attention = lambda q, k, v: attend(q, k, v)  # noqa: E731
