"""Gives back views of its inputs where nothing is pruned: the caller's memory, and right.

exercise: head_pruning
passes
"""


def head_importance(head_out, grad):
    return (head_out * grad).sum(dim=-1).abs().mean(dim=(0, -1))


def prune_heads(w_q, w_k, w_v, w_o, importance, keep):
    heads = len(importance)
    if keep == heads:
        return w_q[:], w_k[:], w_v[:], w_o[:]
    kept = importance.argsort(descending=True, stable=True)[:keep].sort().values
    w_q, w_k, w_v = (
        w.unflatten(1, (heads, -1)).index_select(1, kept).flatten(1) for w in (w_q, w_k, w_v)
    )
    return w_q, w_k, w_v, w_o.unflatten(0, (heads, -1)).index_select(0, kept).flatten(0, 1)
