"""Attention over padded sequences, forward and backward free of NaN."""

import torch


def padded_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Attention over the real keys of each sequence.

    q       (b, h, n, d)
    k, v    (b, h, m, d), padded at the end with numbers that mean nothing
    lengths (b,), integers from 0 to m: how many keys are real
    returns (b, h, n, d); zeros, with gradients of zero, where no key is real

    Cost: 4*b*h*n*m*d flops whatever the lengths are, since what is hidden is computed first;
    two (b, h, n, m) arrays at the peak.
    """
    m, d = k.shape[-2:]
    scores = (q * d**-0.5) @ k.transpose(-2, -1)

    # Padding is a property of keys, the same for every head and query: (b, 1, 1, m).
    padded = torch.arange(m, device=q.device) >= lengths[:, None, None, None]

    # Filled, not added: both give -inf, but the gradient of a sum passes on what reaches it,
    # and the softmax of only -inf sends NaN back. Filling lets no gradient through.
    scores = scores.masked_fill(padded, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    del scores

    # 0/0 where nothing is real. Filling by the mask mends just those rows, while a NaN that came
    # from the inputs still shows.
    weights = weights.masked_fill(padded, 0)
    return weights @ v
