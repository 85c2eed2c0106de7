"""Multi-head attention. The task: quizprep show multi_head. Then: quizprep grade multi_head."""

import torch


def multi_head_attention(
    x: torch.Tensor,
    w_q: torch.Tensor,
    w_k: torch.Tensor,
    w_v: torch.Tensor,
    w_o: torch.Tensor,
    heads: int,
    causal: bool = False,
) -> torch.Tensor:
    """Self-attention of a Transformer layer, projections included.

    x              (b, n, D)
    w_q, w_k, w_v  (D, heads*d), applied from the right: x @ w_q; head i owns the columns i*d to
                   (i + 1)*d
    w_o            (heads*d, D)
    causal         hide the future
    returns        (b, n, D)
    """
    # TODO: project, split into heads, attend, merge, project.
    raise NotImplementedError("multi_head_attention is not written yet")
