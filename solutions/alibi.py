"""Causal attention with linear biases."""

import torch


def alibi_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Causal attention whose scores fall linearly with the distance.

    q       (b, h, n, d), h a power of two
    k, v    (b, h, m, d), n <= m; the n queries are the last n of the m positions
    returns (b, h, n, d)

    Cost: 4*b*h*n*m*d flops, as without biases; at the peak two (b, h, n, m) arrays are live,
    8*b*h*n*m bytes in float32, and the mask. The bias is a row of m numbers for each head.
    """
    h, n, d = q.shape[1:]
    m = k.shape[-2]

    # A geometric sequence that ends at 2**-8: with h = 8 the slopes are 1/2, 1/4, ... 1/256.
    head = torch.arange(1, h + 1, device=q.device)
    slopes = torch.exp2(-8 * head / h)

    # Scaled first: the penalty of a distance should not depend on the size of a head.
    # In float32 at least: far from the last key a bias is in the hundreds, where bfloat16 takes
    # steps of 1 and cannot tell neighbours apart.
    wide = torch.promote_types(q.dtype, torch.float32)
    scores = (q.to(wide) * d**-0.5) @ k.to(wide).transpose(-2, -1)

    # -slope*(i - j) = slope*j - slope*i, and slope*i is the same for a whole row of the softmax,
    # where it cancels. What remains needs one number a key instead of one a pair.
    age = m - 1 - torch.arange(m, device=q.device)
    scores -= (slopes[:, None] * age)[:, None, :]

    hidden = torch.ones(n, m, dtype=torch.bool, device=q.device).triu(diagonal=m - n + 1)
    scores.masked_fill_(hidden, -torch.inf)
    weights = torch.softmax(scores, dim=-1)
    del scores
    return weights.to(v.dtype) @ v
