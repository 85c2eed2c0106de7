"""Roles of heads from their attention weights."""

import torch


def head_roles(weights: torch.Tensor, token_freq: torch.Tensor) -> torch.Tensor:
    """How much of its weight each head gives to certain places, averaged over rows and batch.

    weights     (b, h, n, n), attention weights: row i is what query i gives to the keys
    token_freq  (b, n), integers: how often the token at this position occurs in the corpus
    returns     (h, 5), in the dtype of weights: weight on the previous token (over the queries
                that have one), on the next one (likewise), on the first token, on the query's
                own token, and on the rarest token of the sequence, the first of equals.
                With n = 1 there is no previous or next token: 0

    Cost: five numbers are read from each row of weights, 5*b*h*n additions; all but the column
    of the rarest token are views, so 4*b*h*n bytes in float32 are live.
    """
    b, h, n, _ = weights.shape

    # argmin gives the first of equals. The position differs from sequence to sequence, so the
    # column is gathered.
    rarest = token_freq.argmin(dim=-1)
    rare = weights.gather(-1, rarest[:, None, None, None].expand(b, h, n, 1)).squeeze(-1)

    # Rows are queries: below the diagonal lies the past, above it the future. With one token
    # these two diagonals are empty; their sum is 0 and the count must not be.
    scores = [
        weights.diagonal(-1, -2, -1).sum(dim=(0, -1)) / (b * max(n - 1, 1)),
        weights.diagonal(1, -2, -1).sum(dim=(0, -1)) / (b * max(n - 1, 1)),
        weights[..., 0].mean(dim=(0, -1)),
        weights.diagonal(0, -2, -1).mean(dim=(0, -1)),
        rare.mean(dim=(0, -1)),
    ]
    return torch.stack(scores, dim=-1)
