"""Tiled attention. The task: quizprep show flash_forward. Then: quizprep grade flash_forward."""

import torch


def flash_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, block: int, causal: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Exact attention that never holds more than a tile of the scores.

    q       (b, h, n, d)
    k, v    (b, h, m, d)
    block   queries and keys in a tile; it need not divide n or m
    causal  hide the future: the n queries are the last n of the m positions
    returns o (b, h, n, d), in the dtype of q, and
            lse (b, h, n), the logarithm of the sum of the exponentials of each row's scores,
            in float32 (float64 for float64 inputs).
            A query that may see no key gives o = 0 and lse = -inf.
    """
    # TODO: one pass over tiles of keys with a running maximum, sum and accumulator.
    raise NotImplementedError("flash_attention is not written yet")
