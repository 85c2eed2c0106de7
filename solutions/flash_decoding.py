"""Split decoding: independent parts of the keys, merged by their log-sum-exp."""

import torch


def flash_decoding(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, splits: int) -> torch.Tensor:
    """Attention of one query, computed in independent parts of the keys that are merged.

    q       (b, h, 1, d)
    k, v    (b, h, m, d)
    splits  parts into which the keys are cut, of nearly equal length; there may be more parts
            than keys, so that some are empty
    returns (b, h, 1, d)

    Cost: 4*b*h*m*d flops, as without splits, and 2*b*h*splits*d operations to merge. At the
    peak partial results of b*h*splits*(d + 2) values and one split's scores are live. The
    splits could run at the same time, on processors that one query alone would leave idle.
    """
    b, h, _, d = q.shape
    # Scores and sums want float32 even where the inputs are narrower.
    wide = torch.float64 if q.dtype == torch.float64 else torch.float32
    q_wide = q.to(wide) * d**-0.5

    # What is known of the keys of a split: the largest score, the sum of the exponentials
    # relative to it, and the values weighted by them. As it stands a split is empty.
    top = q.new_full((splits, b, h, 1, 1), -torch.inf, dtype=wide)
    total = torch.zeros_like(top)
    acc = q.new_zeros(splits, b, h, 1, d, dtype=wide)

    # On a GPU this loop is the grid: no split looks at another one's results.
    parts = zip(k.tensor_split(splits, dim=-2), v.tensor_split(splits, dim=-2), strict=True)
    for s, (k_part, v_part) in enumerate(parts):
        if k_part.shape[-2] == 0:
            continue
        scores = q_wide @ k_part.to(wide).transpose(-2, -1)
        top[s] = scores.amax(dim=-1, keepdim=True)
        weights = scores.sub_(top[s]).exp_()
        total[s] = weights.sum(dim=-1, keepdim=True)
        acc[s] = weights @ v_part.to(wide)
        del scores, weights

    # The merge. There is at least one key, so the common maximum is finite, and an empty split
    # gets the factor exp(-inf) = 0. Factors and sums together are exp(lse of the split).
    factor = torch.exp(top - top.amax(dim=0))
    return (acc.mul_(factor).sum(dim=0) / total.mul_(factor).sum(dim=0)).to(q.dtype)
