"""Attention. The task: quizprep show attention. Then: quizprep grade attention."""

import torch


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Scaled dot-product attention: every query sees every key.

    q       (b, h, n, d)
    k, v    (b, h, m, d)
    returns (b, h, n, d), in the dtype of q
    """
    # TODO: scores, softmax, weighted sum of the values.
    raise NotImplementedError("attention is not written yet")
