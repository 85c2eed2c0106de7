"""Attention over padded sequences. The task: quizprep show padding_mask.
Then: quizprep grade padding_mask."""

import torch


def padded_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Attention over the real keys of each sequence.

    q       (b, h, n, d)
    k, v    (b, h, m, d), padded at the end with numbers that mean nothing
    lengths (b,), integers from 0 to m: how many keys are real
    returns (b, h, n, d); zeros, with gradients of zero, where no key is real
    """
    # TODO: a mask over keys, and what it does to the sequence that has none.
    raise NotImplementedError("padded_attention is not written yet")
