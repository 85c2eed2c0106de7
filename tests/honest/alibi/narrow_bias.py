"""In the dtype of q throughout; relative bias minus distance, masked with tril."""

import torch


def alibi_attention(q, k, v):
    b, h, n, d = q.shape
    m = k.shape[2]
    slopes = torch.pow(2.0, -8.0 * torch.arange(1, h + 1) / h)
    distance = (torch.arange(m - n, m).view(n, 1) - torch.arange(m).view(1, m)).clamp(min=0)
    bias = (-slopes.view(1, h, 1, 1) * distance).to(q.dtype)
    mask = torch.tril(torch.ones(n, m), diagonal=m - n).bool()
    scores = torch.matmul(q, k.mT) / d**0.5
    scores = scores + bias
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return torch.matmul(torch.softmax(scores, -1), v)
