"""Causal attention over packed documents, with one mask."""

import torch


def packed_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: torch.Tensor
) -> torch.Tensor:
    """Causal attention inside each of several documents packed into one sequence.

    q, k, v  (b, h, n, d)
    segments (b, n), integers: the document that a token belongs to. A document is a contiguous
             run, and no two documents of a sequence have the same number
    returns  (b, h, n, d)

    Cost: 4*b*h*n*n*d flops, as without documents; at the peak two (b, h, n, n) arrays and a
    mask for each sequence are live, 8*b*h*n*n + b*n*n bytes in float32. Working on one
    document at a time would save most of both.
    """
    n, d = q.shape[-2:]

    # Scaling q costs n*d multiplications, scaling the scores would cost n*n.
    scores = (q * d**-0.5) @ k.transpose(-2, -1)

    # Hidden is what belongs to another document or lies in the future. Each sequence is cut in
    # its own places, so the mask has a batch axis, and one of size 1 for the heads.
    hidden = segments[:, None, :, None] != segments[:, None, None, :]
    hidden |= torch.ones(n, n, dtype=torch.bool, device=q.device).triu(diagonal=1)

    # Every token sees itself, so no row is empty and the softmax is finite.
    scores.masked_fill_(hidden, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    del scores
    return weights @ v
