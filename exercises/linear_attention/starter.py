"""Linear attention. The task: quizprep show linear_attention. Then: quizprep grade it."""

import torch


def linear_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, causal: bool = False
) -> torch.Tensor:
    """Attention with the weights phi(q_i) . phi(k_j), phi(x) = elu(x) + 1, normalised per query.

    q       (b, h, n, d)
    k, v    (b, h, m, d); m = n if causal
    causal  query i sees the keys 0 to i
    returns (b, h, n, d)
    """
    # TODO: the work may grow with n, not with n*m; causal as well.
    raise NotImplementedError("linear_attention is not written yet")
