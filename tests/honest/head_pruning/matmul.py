"""The token sum as a batched product; rank by counting who is better."""

import torch


def head_importance(head_out, grad):
    s = (head_out.unsqueeze(-2) @ grad.unsqueeze(-1)).flatten(2)
    return s.abs().transpose(0, 1).flatten(1).mean(1)


def prune_heads(w_q, w_k, w_v, w_o, importance, keep):
    h = importance.shape[0]
    i = torch.arange(h)
    better = (importance[None] > importance[:, None]) | (
        (importance[None] == importance[:, None]) & (i[None] < i[:, None])
    )
    kept = (better.sum(1) < keep).nonzero().flatten()
    w = [t.reshape(t.shape[0], h, -1)[:, kept].reshape(t.shape[0], -1) for t in (w_q, w_k, w_v)]
    return (*w, w_o.reshape(h, -1, w_o.shape[1])[kept].reshape(-1, w_o.shape[1]))
