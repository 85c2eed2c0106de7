"""Attention over a draft tree: one softmax over what was accepted and over a path."""

import torch


def tree_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    k_new: torch.Tensor,
    v_new: torch.Tensor,
    parents: torch.Tensor,
) -> torch.Tensor:
    """Attention of each node of a tree to what was accepted and to the path that leads to it.

    q             (b, h, t, d), the queries of the nodes
    k, v          (b, h, m, d), the accepted tokens; m may be 0
    k_new, v_new  (b, h, t, d), keys and values of the nodes
    parents       (t,), integers: parents[i] < i, or -1
    returns       (b, h, t, d)

    Cost: 4*b*h*t*(m + t)*d flops in the products: what the tree hides among its nodes is computed
    and thrown away, and is little where m is larger than t. At the peak scores are live twice,
    8*b*h*t*(m + t) bytes in float32, and the mask.
    """
    t, m = q.shape[2], k.shape[2]
    # A node sees what its parent sees, and itself. Parents come first, so each row is made of an
    # earlier one: t steps, however deep the tree is.
    hidden = torch.ones(t, t, dtype=torch.bool, device=q.device)
    for node, parent in enumerate(parents.tolist()):
        if parent >= 0:
            hidden[node] = hidden[parent]
        hidden[node, node] = False
    q = q * q.shape[-1] ** -0.5
    # Both groups of scores in one buffer, so that neither keys nor scores are copied.
    scores = q.new_empty((*q.shape[:-1], m + t))
    torch.matmul(q, k.transpose(-2, -1), out=scores[..., :m])
    torch.matmul(q, k_new.transpose(-2, -1), out=scores[..., m:])
    scores[..., m:].masked_fill_(hidden, -torch.inf)
    # No row is empty: a node sees itself.
    weights = torch.softmax(scores, dim=-1)
    del scores
    return weights[..., :m] @ v + weights[..., m:] @ v_new
