"""ALiBi. The task: quizprep show alibi. Then: quizprep grade alibi."""

import torch


def alibi_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Causal attention whose scores fall linearly with the distance.

    q       (b, h, n, d), h a power of two
    k, v    (b, h, m, d), n <= m; the n queries are the last n of the m positions
    returns (b, h, n, d)
    """
    # TODO: a slope for each head, a bias for each distance, the causal mask.
    raise NotImplementedError("alibi_attention is not written yet")
