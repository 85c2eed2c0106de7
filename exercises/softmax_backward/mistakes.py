"""The gradient of a softmax with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "missing_row_sum": Mistake(
        "You return p * grad_p. Raising one score lowers the weight of all others, so each row "
        "has to lose the weighted mean of its gradient: p * (grad_p - sum(p * grad_p)).",
        concept="softmax-gradient",
    ),
    "row_sum_of_p": Mistake(
        "You subtract the sum of p, which is 1. It is the sum of p * grad_p, the mean of the "
        "gradient under the weights.",
        concept="softmax-gradient",
    ),
    "row_sum_of_grad": Mistake(
        "You subtract the plain sum of the gradient. It counts by weight: sum(p * grad_p).",
        concept="softmax-gradient",
    ),
    "row_mean": Mistake(
        "You subtract mean(p * grad_p). The weights add up to 1 already, so it is the sum.",
        concept="softmax-gradient",
    ),
    "wrong_axis": Mistake(
        "Your sum runs down the columns. The weights of a row belong together, so it runs "
        "along the last axis.",
        concept="softmax-axis",
    ),
    "forgot_p_factor": Mistake(
        "You return grad_p - sum(p * grad_p). The factor p in front is missing: a weight of 0, "
        "a hidden key for instance, must give a gradient of 0.",
        concept="softmax-gradient",
    ),
    "diagonal_only": Mistake(
        "You return p * (1 - p) * grad_p, the derivative of a sigmoid. It is the diagonal of "
        "the Jacobian; the other entries, -p_i p_j, are missing.",
        concept="softmax-gradient",
    ),
    "builds_jacobian": Mistake(
        "The answer is right, but you build the Jacobian of every row: memory grows with "
        "cols*cols. Multiply out diag(p) - p p^T and one number a row is left of it.",
        concept="softmax-gradient",
        cost={"peak_bytes": "~rows*cols**2"},
    ),
}


def solve(p: Tensor, grad_p: Tensor, mistakes: frozenset[str] = frozenset()) -> Tensor:
    """grad_x: (rows, cols)."""
    # Cost is read only where the answer is right, so next to other mistakes this one is silent.
    if mistakes == {"builds_jacobian"}:
        jacobian = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
        return (jacobian @ grad_p[:, :, None]).squeeze(-1)

    axis = 0 if "wrong_axis" in mistakes else -1
    total = (p * grad_p).sum(axis, keepdim=True)
    if "row_sum_of_p" in mistakes:
        total = p.sum(axis, keepdim=True)
    elif "row_sum_of_grad" in mistakes:
        total = grad_p.sum(axis, keepdim=True)
    if "row_mean" in mistakes:
        total = total / p.shape[axis]
    if "diagonal_only" in mistakes:
        total = p * grad_p
    elif "missing_row_sum" in mistakes:
        total = torch.zeros_like(total)
    centred = grad_p - total
    return centred if "forgot_p_factor" in mistakes else p * centred
