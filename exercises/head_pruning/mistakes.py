"""Pruning of heads with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "no_abs": Mistake(
        "You average signed contributions, and those of different tokens cancel: a head that "
        "matters both ways looks useless. Take the absolute value for each token.",
        concept="head-pruning",
    ),
    "abs_of_each_term": Mistake(
        "You take the absolute value of each of the d products. What a head does for a token is "
        "their sum, the change of the loss if the output went to 0; its absolute value comes "
        "after that sum.",
        concept="head-pruning",
    ),
    "abs_after_token_sum": Mistake(
        "You sum over tokens before you take the absolute value, so that tokens cancel. That is "
        "how the paper's formula can be read; its code, and this task, take the absolute value "
        "for each token.",
        concept="head-pruning",
        variants=("by_sequence", "over_batch"),
    ),
    "sums_over_tokens": Mistake(
        "You add the tokens up instead of averaging over batch and tokens, so that importance "
        "grows with the amount of text.",
        concept="head-pruning",
        variants=("tokens", "batch", "both"),
    ),
    "no_gradient": Mistake(
        "You look at the size of the outputs only. What counts is how the loss reacts to them: "
        "output times gradient.",
        concept="head-pruning",
    ),
    "keeps_least": Mistake(
        "You keep the least important heads. An ascending sort has the important ones at its end.",
        concept="head-pruning",
    ),
    "order_of_importance": Mistake(
        "The heads that are left stand in the order of their importance. They keep the order "
        "that they had, so that head numbers noted elsewhere still mean something.",
        concept="head-pruning",
    ),
    "prunes_wrong_columns": Mistake(
        "You read the h*d columns as d groups of h. Head i owns the d columns from i*d on: "
        "view them as (h, d), not as (d, h).",
        concept="multi-head",
    ),
    "output_not_pruned": Mistake(
        "w_o keeps its size. Its rows belong to heads as the columns of w_q, w_k and w_v do, and "
        "those of removed heads have nothing to multiply any more.",
        concept="head-pruning",
    ),
    "masks_only": Mistake(
        "You set removed heads to 0 and leave the weights as large as they were. That tells what "
        "pruning costs in quality; it saves neither memory nor work.",
        concept="head-pruning",
    ),
    "gathers_scores": Mistake(
        "The importances are right, but you build all d x d products of output and gradient to "
        "add up their diagonal. A product by elements and a sum over d is enough.",
        concept="head-pruning",
        cost={"importance.flops": "~b*h*n*d*d"},
    ),
}


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Both functions with these mistakes."""

    def head_importance(head_out: Tensor, grad: Tensor) -> Tensor:
        if "no_gradient" in mistakes:
            grad = torch.ones_like(grad)
        if "gathers_scores" in mistakes:
            products = (head_out[..., :, None] * grad[..., None, :]).diagonal(0, -2, -1)
        else:
            products = head_out * grad
        if "abs_of_each_term" in mistakes:
            products = products.abs()
        terms = products.sum(-1)
        b, _, n = terms.shape
        signed = "no_abs" in mistakes
        if "abs_after_token_sum:over_batch" in mistakes:
            terms = terms.sum((0, 2), keepdim=True)
        elif "abs_after_token_sum:by_sequence" in mistakes:
            terms = terms.sum(2, keepdim=True)
        total = (terms if signed else terms.abs()).sum((0, 2))
        if not mistakes & {"sums_over_tokens:tokens", "sums_over_tokens:both"}:
            total = total / n
        if not mistakes & {"sums_over_tokens:batch", "sums_over_tokens:both"}:
            total = total / b
        return total

    def prune_heads(
        w_q: Tensor, w_k: Tensor, w_v: Tensor, w_o: Tensor, importance: Tensor, keep: int
    ) -> tuple[Tensor, ...]:
        h = len(importance)
        d = w_q.shape[1] // h
        values = importance.tolist()
        sign = 1 if "keeps_least" in mistakes else -1
        kept = sorted(range(h), key=lambda i: sign * values[i])[:keep]
        if "order_of_importance" not in mistakes:
            kept.sort()
        if "prunes_wrong_columns" in mistakes:
            places = torch.arange(h * d).view(d, h)[:, kept].flatten()
        else:
            places = torch.arange(h * d).view(h, d)[kept].flatten()
        if "masks_only" in mistakes:
            mask = torch.zeros(h * d, dtype=w_q.dtype)
            mask[places] = 1
            rows = w_o if "output_not_pruned" in mistakes else w_o * mask[:, None]
            return w_q * mask, w_k * mask, w_v * mask, rows
        rows = w_o.clone() if "output_not_pruned" in mistakes else w_o[places]
        return w_q[:, places], w_k[:, places], w_v[:, places], rows

    return {"head_importance": head_importance, "prune_heads": prune_heads}
