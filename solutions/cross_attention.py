"""Cross-attention with its projections and a padded source."""

import torch


def cross_attention(
    x: torch.Tensor,
    source: torch.Tensor,
    w_q: torch.Tensor,
    w_k: torch.Tensor,
    w_v: torch.Tensor,
    w_o: torch.Tensor,
    heads: int,
    source_lengths: torch.Tensor,
) -> torch.Tensor:
    """A decoder's look at the encoder's output, projections included.

    x              (b, n, D), the decoder's tokens
    source         (b, m, D), the encoder's output, padded at its end
    w_q, w_k, w_v  (D, heads*d), applied from the right: head i owns the columns i*d to
                   (i + 1)*d
    w_o            (heads*d, D)
    source_lengths (b,), integers from 0 to m: how many source positions are real
    returns        (b, n, D); zeros where the source is empty

    Cost: 4*b*(n + m)*D*h*d flops in the projections and 4*b*h*n*m*d in attention. Those of
    the source, k and v, are the same for every step of the decoder: it computes them once.
    """
    m = source.shape[1]
    d = w_q.shape[1] // heads

    def split(projected: torch.Tensor) -> torch.Tensor:
        # (b, n, h*d) to (b, h, n, d), as a view.
        return projected.unflatten(-1, (heads, -1)).transpose(1, 2)

    # Queries from here, keys and values from there: this line and the one for v are all that
    # sets it apart from self-attention. There is no causal mask: the source is known whole.
    scores = (split(x @ w_q) * d**-0.5) @ split(source @ w_k).transpose(-2, -1)

    # Padding is a property of keys, the same for every head and query: (b, 1, 1, m).
    padded = torch.arange(m, device=x.device) >= source_lengths[:, None, None, None]
    scores.masked_fill_(padded, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    del scores

    # An empty source leaves rows of only -inf, whose softmax is 0/0. Filling by the mask mends
    # just those, while a NaN that came from the inputs still shows.
    weights.masked_fill_(padded, 0)
    merged = (weights @ split(source @ w_v)).transpose(1, 2).flatten(-2)
    del weights
    return merged @ w_o
