"""Sliding window. The task: quizprep show sliding_window. Then: quizprep grade sliding_window."""

import torch


def sliding_window_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, window: int
) -> torch.Tensor:
    """Causal attention in which a query sees only the newest keys.

    q, k, v (b, h, n, d)
    window  query i sees the keys i - window + 1 to i, itself included; at least 1
    returns (b, h, n, d)
    """
    # TODO: never compute, or hold, a score for each pair of query and key.
    raise NotImplementedError("sliding_window_attention is not written yet")
