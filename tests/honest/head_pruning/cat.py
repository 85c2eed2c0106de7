"""Chunks put side by side; float32 for the average."""

import torch


def head_importance(head_out, grad):
    prod = (head_out.float() * grad.float()).sum(-1)
    total = prod.abs().sum(dim=2).sum(dim=0)
    return (total / (head_out.shape[0] * head_out.shape[2])).to(head_out.dtype)


def prune_heads(w_q, w_k, w_v, w_o, importance, keep):
    heads = importance.numel()
    rank = torch.argsort(-importance, stable=True)
    chosen = set(rank[:keep].tolist())
    pick = lambda w, dim: torch.cat(
        [c for i, c in enumerate(w.chunk(heads, dim)) if i in chosen], dim
    )
    return pick(w_q, 1), pick(w_k, 1), pick(w_v, 1), pick(w_o, 0)
