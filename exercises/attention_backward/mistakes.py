"""The gradients of attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "no_scale_in_dq": Mistake(
        "Gradients of the scores reach q and k through s = q k^T / sqrt(d), so dq and dk both "
        "carry the factor 1/sqrt(d); at least one of them lacks it.",
        concept="attention-gradient",
        variants=("dq", "dk", "both"),
    ),
    "swapped_dk_dv": Mistake(
        "You return dv in the place of dk and dk in the place of dv.",
        concept="attention-gradient",
    ),
    "missing_softmax_term": Mistake(
        "Your gradient of the softmax is p * dp. Raising one score lowers all other weights of "
        "its row: ds = p * (dp - sum(p * dp)).",
        concept="softmax-gradient",
    ),
    "forgot_p_factor": Mistake(
        "Your gradient of the softmax is dp - sum(p * dp). The factor p in front is missing, "
        "so that hidden keys get gradients as well.",
        concept="softmax-gradient",
    ),
    "softmax_term_over_queries": Mistake(
        "In the gradient of the softmax you sum p * dp over the queries. The weights of one "
        "query belong together: sum over the keys.",
        concept="softmax-gradient",
    ),
    "recompute_without_scale": Mistake(
        "You compute the weights again without dividing the scores by sqrt(d): these are not "
        "the weights of the forward pass.",
        concept="scaling",
    ),
    "dv_from_scores_gradient": Mistake(
        "You take dv = ds^T grad_o. Values meet the weights, not the scores: dv = p^T grad_o.",
        concept="attention-gradient",
    ),
    "ignores_causal": Mistake(
        "causal=True changes nothing: gradients flow to and from the future.",
        concept="causal-mask",
    ),
    "top_left_aligned": Mistake(
        "Your mask starts in the top left corner: query i sees keys 0 to i even when n and m "
        "differ. The n queries are the last n positions, so query i sits at i + m - n.",
        concept="mask-alignment",
    ),
    "nan_on_empty_row": Mistake(
        "A query that sees no key (causal, n > m) makes gradients NaN, and not only its own: "
        "dk and dv sum over all queries. Its weights have to be zeros.",
        concept="fully-masked-row",
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    grad_o: Tensor,
    causal: bool = False,
    mistakes: frozenset[str] = frozenset(),
) -> tuple[Tensor, Tensor, Tensor]:
    """dq: (b, h, n, d); dk, dv: (b, h, m, d)."""
    n, d = q.shape[-2:]
    m = k.shape[-2]
    scale = d**-0.5
    scores = q @ k.transpose(-2, -1)
    if "recompute_without_scale" not in mistakes:
        scores = scores * scale
    if causal and "ignores_causal" not in mistakes:
        offset = 0 if "top_left_aligned" in mistakes else m - n
        hidden = torch.arange(m) > torch.arange(n)[:, None] + offset
        scores = scores.masked_fill(hidden, -torch.inf)
    p = torch.softmax(scores, dim=-1)
    if "nan_on_empty_row" not in mistakes:
        p = p.nan_to_num(nan=0.0)

    dp = grad_o @ v.transpose(-2, -1)
    axis = -2 if "softmax_term_over_queries" in mistakes else -1
    term = (p * dp).sum(axis, keepdim=True)
    if "missing_softmax_term" in mistakes:
        term = torch.zeros_like(term)
    ds = dp - term
    if "forgot_p_factor" not in mistakes:
        ds = p * ds

    both = "no_scale_in_dq:both" in mistakes
    dq = ds @ k * (1.0 if both or "no_scale_in_dq:dq" in mistakes else scale)
    dk = ds.transpose(-2, -1) @ q * (1.0 if both or "no_scale_in_dq:dk" in mistakes else scale)
    from_scores = "dv_from_scores_gradient" in mistakes
    dv = (ds if from_scores else p).transpose(-2, -1) @ grad_o
    return (dq, dv, dk) if "swapped_dk_dv" in mistakes else (dq, dk, dv)
