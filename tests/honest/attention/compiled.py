"""Decorated for a compiler, which is not there: the function runs as it is."""

import torch


@torch.compiler.disable
def scale_of(q):
    return q.shape[-1] ** -0.5


@torch.compile(dynamic=True)
def attention(q, k, v):
    scores = torch.einsum("bhnd,bhmd->bhnm", q, k) * scale_of(q)
    return torch.einsum("bhnm,bhmd->bhnd", torch.softmax(scores, dim=-1), v)
