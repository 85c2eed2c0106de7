"""Grouped-query attention without a copy of the keys and values."""

import torch


def grouped_query_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Attention in which groups of query heads share one head of keys and values.

    q       (b, h, n, d)
    k, v    (b, g, m, d); g divides h, and head i uses the keys and values of i // (h // g)
    returns (b, h, n, d)

    Cost: 4*b*h*n*m*d flops, as with h heads of keys; at the peak scores and weights are live,
    8*b*h*n*m bytes in float32. k and v, b*g*m*d values each, are read and never copied: with
    n = 1 that is h/g queries for every key, h/g times the arithmetic intensity.
    """
    n, d = q.shape[-2:]
    g = k.shape[1]

    # Heads of a group are neighbours, so h splits into (g, r), g outermost. To a matrix product
    # r heads of n queries that meet the same keys are just r*n queries.
    grouped = (q * d**-0.5).unflatten(1, (g, -1)).flatten(2, 3)

    # g products of (r*n, d) with (d, m). With an axis of r in the batch instead, the product
    # would copy k once for each head before it starts.
    scores = grouped @ k.transpose(-2, -1)
    del grouped
    weights = torch.softmax(scores, dim=-1)
    del scores
    return (weights @ v).unflatten(2, (-1, n)).flatten(1, 2)
