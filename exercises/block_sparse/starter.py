"""Window and global tokens. The task: quizprep show block_sparse. Then: quizprep grade it."""

import torch


def longformer_attention(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    window: int,
    global_tokens: list[int],
) -> torch.Tensor:
    """Attention in which a token sees its neighbours, and global tokens see and are seen by all.

    q, k, v        (b, h, n, d)
    window         key j is near query i when abs(i - j) <= window; 0 is legal
    global_tokens  distinct positions, none or some
    returns        (b, h, n, d)
    """
    # TODO: never compute, or hold, a score for each pair of query and key.
    raise NotImplementedError("longformer_attention is not written yet")
