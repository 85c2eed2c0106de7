"""Attention over a draft tree. The task: quizprep show tree_attention."""

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
    """
    # TODO: make the mask of the tree, one softmax over both groups of keys, sum the values.
    raise NotImplementedError("tree_attention is not written yet")
