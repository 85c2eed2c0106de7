"""Attention over a draft tree with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "siblings_visible": Mistake(
        "Your mask is plainly causal over the list of nodes, j <= i: a node sees its siblings and "
        "other branches. It may see its own path only.",
        concept="tree-mask",
    ),
    "no_tree_mask": Mistake(
        "Every node sees the whole tree, its descendants included. Only the path that leads to a "
        "node has been said when it comes up.",
        concept="tree-mask",
    ),
    "parent_only": Mistake(
        "A node sees its parent and itself, but not what came before them. The whole path counts, "
        "up to the root.",
        concept="tree-mask",
    ),
    "not_itself": Mistake(
        "A node does not see itself. Its own key and value belong to its path, as the diagonal "
        "does under a causal mask.",
        concept="tree-mask",
    ),
    "index_for_depth": Mistake(
        "You take a place in the list for a depth: nodes of shallower levels, or the last few of "
        "the list, are not the ancestors. Follow the parents.",
        concept="tree-mask",
        variants=("shallower", "last_ones"),
    ),
    "sees_descendants": Mistake(
        "The mask is turned over: a node sees what comes after it and not the path that leads to "
        "it. Row i holds the ancestors of i.",
        concept="tree-mask",
    ),
    "prefix_hidden": Mistake(
        "The accepted tokens are not seen. Each node sees all m of them; the mask of the tree is "
        "for the nodes alone.",
        concept="tree-mask",
    ),
    "prefix_causal": Mistake(
        "Of the accepted tokens node i sees the first i + 1 only, as if the mask began at the top "
        "left. All of them come before the tree.",
        concept="mask-alignment",
    ),
    "two_softmaxes": Mistake(
        "Accepted tokens and nodes get a softmax each, and the results are added: the weights of a "
        "row add up to 2. One softmax goes over both.",
        concept="mask-before-softmax",
    ),
    "zero_instead_of_inf": Mistake(
        "You set hidden scores to 0 before the softmax. exp(0) is 1, so a hidden node still gets "
        "weight; only exp(-inf) is 0.",
        concept="mask-before-softmax",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d). Their spread grows with sqrt(d) and the softmax "
        "saturates.",
        concept="scaling",
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_new: Tensor,
    v_new: Tensor,
    parents: Tensor,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """o: (b, h, t, d)."""
    t, d = q.shape[-2:]
    m = k.shape[2]
    scale = 1.0 if "no_scale" in mistakes else d**-0.5
    before = torch.ones(t, m, dtype=torch.bool)
    if "prefix_hidden" in mistakes:
        before = torch.zeros_like(before)
    elif "prefix_causal" in mistakes:
        before = before.tril()
    visible = torch.cat([before, _visible(parents, mistakes)], dim=1)
    scores = q @ torch.cat([k, k_new], dim=2).transpose(-2, -1) * scale
    fill = 0.0 if "zero_instead_of_inf" in mistakes else -torch.inf
    scores = scores.masked_fill(~visible, fill)
    values = torch.cat([v, v_new], dim=2)
    if "two_softmaxes" in mistakes:
        parts = ((scores[..., :m], values[:, :, :m]), (scores[..., m:], values[:, :, m:]))
        return sum((torch.softmax(s, dim=-1) @ w for s, w in parts), torch.zeros_like(q))
    return torch.softmax(scores, dim=-1) @ values


def _visible(parents: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(t, t), True where node i sees node j."""
    t = len(parents)
    i, j = torch.arange(t)[:, None], torch.arange(t)
    path = torch.zeros(t, t, dtype=torch.bool)
    for node, parent in enumerate(parents.tolist()):
        if parent >= 0:
            path[node] = path[parent]
        path[node, node] = True
    depth = path.sum(1)
    if "no_tree_mask" in mistakes:
        path = torch.ones_like(path)
    elif "siblings_visible" in mistakes:
        path = j <= i
    elif "parent_only" in mistakes:
        path = (j == parents[:, None]) | (j == i)
    elif "index_for_depth:shallower" in mistakes:
        path = (depth[None, :] < depth[:, None]) | (j == i)
    elif "index_for_depth:last_ones" in mistakes:
        path = (j <= i) & (j > i - depth[:, None])
    if "sees_descendants" in mistakes:
        path = path.T
    return path & (j != i) if "not_itself" in mistakes else path
