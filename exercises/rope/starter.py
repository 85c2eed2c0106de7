"""Rotary positions. The task: quizprep show rope. Then: quizprep grade rope."""

import torch


def rope(x: torch.Tensor, positions: torch.Tensor, base: float = 10000.0) -> torch.Tensor:
    """Queries or keys, turned according to their positions.

    x         (b, h, n, d), d even
    positions (n,), integers
    base      pair i of d/2, the columns 2*i and 2*i + 1, turns by base**(-2*i/d) a position
    returns   (b, h, n, d), in the dtype of x
    """
    # TODO: angles, then a rotation of each pair.
    raise NotImplementedError("rope is not written yet")
