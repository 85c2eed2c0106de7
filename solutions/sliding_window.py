"""Sliding-window attention in blocks of one window."""

import torch
from torch.nn.functional import pad


def sliding_window_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, window: int
) -> torch.Tensor:
    """Causal attention in which a query sees only the newest keys.

    q, k, v (b, h, n, d)
    window  query i sees the keys i - window + 1 to i, itself included; at least 1
    returns (b, h, n, d)

    Cost: each block of queries meets two blocks of keys, so 8*b*h*n*window*d flops, twice the
    least that is possible, in exchange for dense products; at the peak two arrays of
    b*h*n*2*window scores are live beside a padded copy of the values.
    """
    n, d = q.shape[-2:]
    window = min(window, n)
    tail = -n % window  # to a multiple of the window

    # Query blocks: (b, h, blocks, window, d).
    q_blocks = pad(q * d**-0.5, (0, 0, 0, tail)).unflatten(-2, (-1, window))

    # One block of keys more in front, so that every block has a block before it. unfold then
    # walks by one window and takes two: a view of (b, h, blocks, d, 2*window).
    k_pairs = pad(k, (0, 0, window, tail)).unfold(-2, 2 * window, window)
    scores = q_blocks @ k_pairs
    del q_blocks, k_pairs

    # Column c of a pair of blocks is c - window positions after the first query of its block,
    # so query r is at column window + r and its window is r + 1 .. r + window.
    row = torch.arange(window, device=q.device)[:, None]
    column = torch.arange(2 * window, device=q.device)
    hidden = (column <= row) | (column > row + window)
    scores.masked_fill_(hidden, -torch.inf)
    # Before the first block there is nothing. The zeros after the last one need no mask: they
    # are in the future of every query that is kept.
    scores[..., 0, :, :window] = -torch.inf

    # Every query sees itself, padded ones too, so no row is empty.
    weights = torch.softmax(scores, dim=-1)
    del scores
    v_pairs = pad(v, (0, 0, window, tail)).unfold(-2, 2 * window, window).transpose(-2, -1)
    return (weights @ v_pairs).flatten(-3, -2)[..., :n, :]
