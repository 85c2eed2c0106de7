"""A boolean column mask made by repeatedly taking the largest."""

import torch


def head_importance(head_out, grad):
    products = torch.mul(head_out, grad)
    return products.sum(3).abs().mean(2).mean(0)


def prune_heads(w_q, w_k, w_v, w_o, importance, keep):
    left = importance.clone()
    mask = torch.zeros(len(left), dtype=torch.bool)
    for _ in range(keep):
        best = 0
        for i in range(len(left)):
            if not mask[i] and (mask[best] or left[i] > left[best]):
                best = i
        mask[best] = True
    columns = mask.repeat_interleave(w_q.shape[1] // len(left))
    return w_q[:, columns], w_k[:, columns], w_v[:, columns], w_o[columns, :]
