"""Multi-head self-attention with its projections."""

import torch


def multi_head_attention(
    x: torch.Tensor,
    w_q: torch.Tensor,
    w_k: torch.Tensor,
    w_v: torch.Tensor,
    w_o: torch.Tensor,
    heads: int,
    causal: bool = False,
) -> torch.Tensor:
    """Self-attention of a Transformer layer, projections included.

    x              (b, n, D)
    w_q, w_k, w_v  (D, heads*d), applied from the right: x @ w_q; head i owns the columns i*d to
                   (i + 1)*d
    w_o            (heads*d, D)
    causal         hide the future
    returns        (b, n, D)

    Cost: 8*b*n*D*h*d flops in the four projections and 4*b*h*n*n*d in attention, so with D =
    h*d attention outweighs them from n = 2*D on. At the peak v, scores and weights are live.
    """
    n = x.shape[1]

    def split(projected: torch.Tensor) -> torch.Tensor:
        # The columns of a head are neighbours, so h*d splits into (h, d). Only then do the
        # heads move forward, to where a batched product expects its batch: a view, no copy.
        return projected.unflatten(-1, (heads, -1)).transpose(1, 2)

    # The scale is that of one head: a score has d terms, however many heads there are.
    d = w_q.shape[1] // heads
    scores = (split(x @ w_q) * d**-0.5) @ split(x @ w_k).transpose(-2, -1)
    if causal:
        hidden = torch.ones(n, n, dtype=torch.bool, device=x.device).triu(diagonal=1)
        scores.masked_fill_(hidden, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    del scores

    # Back to (b, n, h, d) before h and d merge: each token gets its heads side by side.
    merged = (weights @ split(x @ w_v)).transpose(1, 2).flatten(-2)
    del weights
    return merged @ w_o
