"""Causal attention, as one would write it on a whiteboard."""

import torch


def causal_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attention in which no query sees a key after its own position.

    q       (b, h, n, d)
    k, v    (b, h, m, d); the n queries are the last n of the m positions
    returns (b, h, n, d); a query that may see no key gives a row of zeros

    Cost: 4*b*h*n*m*d flops in the two matrix products; at the peak two (b, h, n, m)
    arrays and the mask are live, 8*b*h*n*m + n*m bytes in float32. The mask saves
    nothing here: hidden scores are computed and thrown away.
    """
    n, d = q.shape[-2:]
    m = k.shape[-2]

    # Scaling q costs n*d multiplications, scaling the scores would cost n*m.
    scores = (q * d**-0.5) @ k.transpose(-2, -1)

    # Query i sits at position i + m - n, so keys j > i + m - n are its future. triu keeps
    # j - i >= diagonal.
    hidden = torch.ones(n, m, dtype=torch.bool, device=q.device).triu(diagonal=m - n + 1)

    # Before the softmax, so that the visible weights add up to 1; -inf, because its
    # exponential is exactly 0 whatever the other scores are.
    scores = scores.masked_fill(hidden, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    del scores

    # With n > m the first rows see nothing: their softmax is 0/0. Filling by the mask mends
    # just those, while a NaN that came from the inputs still shows.
    weights = weights.masked_fill(hidden, 0)
    return weights @ v
