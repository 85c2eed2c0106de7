"""Scaled dot-product attention, as one would write it on a whiteboard."""

import torch


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Scaled dot-product attention: every query sees every key.

    q       (b, h, n, d)
    k, v    (b, h, m, d)
    returns (b, h, n, d), in the dtype of q

    Cost: 4*b*h*n*m*d flops in the two matrix products; at the peak scores and weights are
    live, 8*b*h*n*m bytes in float32.
    """
    d = q.shape[-1]

    # A product of d independent terms of variance 1 has the standard deviation sqrt(d); divided
    # by it the scores spread by about 1, where the softmax still has a gradient. Scaling q
    # costs n*d multiplications, scaling the scores would cost n*m.
    scores = (q * d**-0.5) @ k.transpose(-2, -1)

    # Over the keys: each query has a weight of 1 to give away.
    weights = torch.softmax(scores, dim=-1)
    del scores
    return weights @ v
