"""Linear attention with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import elu

from quizprep.exercise import Mistake

MISTAKES = {
    "no_normaliser": Mistake(
        "You never divide by the sum of the weights, so the output grows with the number of "
        "keys. The normaliser is phi(q_i) times the sum of phi(k_j).",
        concept="linear-attention",
    ),
    "softmax_instead": Mistake(
        "You compute softmax attention. Here the weight of a pair is phi(q_i) . phi(k_j), "
        "without exponential and without sqrt(d); it is another model, not a faster softmax.",
        concept="linear-attention",
    ),
    "causal_uses_full_sum": Mistake(
        "With causal=True you use sums over the whole sequence, so a query sees its future. "
        "Numerator and normaliser both need the sums up to and with token i.",
        concept="causal-mask",
        variants=("both", "normaliser", "numerator"),
    ),
    "strict_causal": Mistake(
        "With causal=True query i uses the sums before its own key was added. It sees key i, "
        "too; for the first query yours divides 0 by 0.",
        concept="causal-mask",
    ),
    "no_plus_one": Mistake(
        "Your feature map is elu(x). It goes down to -1, so weights and normaliser can be "
        "negative or near 0; elu(x) + 1 is positive.",
        concept="linear-attention",
    ),
    "features_round_to_zero": Mistake(
        "You compute elu(x) + 1 as it stands. Below -17 float32 rounds exp(x) - 1 to -1, so "
        "all features are 0 and the output is 0/0. Below 0 take exp(x).",
        concept="linear-attention",
    ),
    "relu_features": Mistake(
        "Your feature map is relu(x). Where all products are 0 there is nothing to divide by, "
        "and no gradient; the paper's is elu(x) + 1, positive everywhere.",
        concept="linear-attention",
    ),
    "features_of_queries_only": Mistake(
        "You apply the feature map to the queries only. Keys need it as well, or weights turn "
        "negative.",
        concept="linear-attention",
    ),
    "scaled": Mistake(
        "You divide q by sqrt(d) before the feature map. There is no exponential to protect "
        "here, and no scale in this attention.",
        concept="linear-attention",
    ),
    "state_per_token": Mistake(
        "The answer is right, but you keep a d x d sum for every token (a cumsum of outer "
        "products): memory grows with n*d*d. One sum that moves along in chunks is enough.",
        concept="linear-attention",
        cost={"peak_bytes": "~b*h*n*d**2"},
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    causal: bool = False,
    mistakes: frozenset[str] = frozenset(),
) -> Tensor:
    """o: (b, h, n, d)."""
    if "softmax_instead" in mistakes:
        return _softmax(q, k, v, causal, mistakes)
    if "scaled" in mistakes:
        q = q * q.shape[-1] ** -0.5
    q = _features(q, mistakes)
    k = k if "features_of_queries_only" in mistakes else _features(k, mistakes)
    # Cost is read only where the answer is right, so next to other mistakes this one is silent.
    if mistakes == {"state_per_token"} and causal:
        states = (k[..., :, None] * v[..., None, :]).cumsum(dim=-3)
        sums = (q * k.cumsum(dim=-2)).sum(dim=-1, keepdim=True)
        return (q[..., None, :] @ states).squeeze(-2) / sums

    weights = q @ k.transpose(-2, -1)
    top, bottom = _seen(weights, causal, mistakes)
    o = top @ v
    return o if "no_normaliser" in mistakes else o / bottom.sum(dim=-1, keepdim=True)


def _features(x: Tensor, mistakes: frozenset[str]) -> Tensor:
    if "relu_features" in mistakes:
        return x.relu()
    if "no_plus_one" in mistakes:
        return elu(x)
    return elu(x) + 1 if "features_round_to_zero" in mistakes else _exact(x)


def _exact(x: Tensor) -> Tensor:
    return torch.where(x > 0, x + 1, torch.exp(x))


def _seen(weights: Tensor, causal: bool, mistakes: frozenset[str]) -> tuple[Tensor, Tensor]:
    """The weights that count in the numerator and in the normaliser."""
    if not causal or "causal_uses_full_sum:both" in mistakes:
        return weights, weights
    past = torch.tril(weights, diagonal=-1 if "strict_causal" in mistakes else 0)
    return (
        weights if "causal_uses_full_sum:numerator" in mistakes else past,
        weights if "causal_uses_full_sum:normaliser" in mistakes else past,
    )


def _softmax(q: Tensor, k: Tensor, v: Tensor, causal: bool, mistakes: frozenset[str]) -> Tensor:
    n, d = q.shape[-2:]
    scores = q @ k.transpose(-2, -1) * d**-0.5
    if causal and "causal_uses_full_sum:both" not in mistakes:
        hidden = torch.ones(n, n, dtype=torch.bool).triu(diagonal=1)
        scores = scores.masked_fill(hidden, -torch.inf)
    return torch.softmax(scores, dim=-1) @ v
