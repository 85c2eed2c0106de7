"""The gated delta rule. The task: quizprep show gated_delta_rule."""

import torch


def gated_delta_rule(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    alpha: torch.Tensor,
    beta: torch.Tensor,
    chunk: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """A state that fades, is corrected for each key, and is read by each query.

    q, k         (b, h, n, d), keys of length 1
    v            (b, h, n, e)
    alpha, beta  (b, h, n), gates: 0 < alpha <= 1, 0 <= beta <= 1
    chunk        tokens that may be worked on at once; it need not divide n
    returns      o (b, h, n, e), in the dtype of v, and
                 state (b, h, d, e) after the last token, in float32 at least
    """
    # TODO: fade the state, correct it, read it; for all n tokens.
    raise NotImplementedError("gated_delta_rule is not written yet")
