"""The gated delta rule in chunks: one triangular system instead of a loop over tokens."""

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

    Cost: 6*b*h*n*d*e flops with the state and b*h*n*chunk*(4*d + 3*e) inside chunks, linear in n.
    Live are the state, a chunk of each input, and a few chunk by chunk matrices.
    """
    wide = torch.promote_types(v.dtype, torch.float32)
    n, d = q.shape[2:]
    o = torch.empty_like(v)
    state = torch.zeros(*q.shape[:2], d, v.shape[-1], dtype=wide, device=q.device)
    for first in range(0, n, chunk):
        now = slice(first, first + chunk)
        queries, keys, values, gates, steps = (
            x[:, :, now].to(wide) for x in (q, k, v, alpha, beta)
        )
        # The old state fades by the product of all alphas up to a token, what token j wrote by that
        # of those after j. As logarithms: the products may be too small for a float, and their
        # quotient, which is at most 1, is not.
        total = gates.log().cumsum(-1)
        decay = (total[..., :, None] - total[..., None, :]).tril().exp().tril()
        fade = total.exp()[..., None]
        # What token i writes depends on what the tokens before it in this chunk wrote:
        # delta_i = beta_i (v_i - k_i (faded state) - sum over j < i of decay_ij (k_i k_j) delta_j),
        # a unit triangular system.
        system = (steps[..., None] * decay * (keys @ keys.transpose(-2, -1))).tril(-1)
        wanted = steps[..., None] * (values - fade * (keys @ state))
        delta = torch.linalg.solve_triangular(system, wanted, upper=False, unitriangular=True)
        # Each query reads the faded state and what was written up to its own token.
        inside = (queries @ keys.transpose(-2, -1)) * decay
        o[:, :, now] = fade * (queries @ state) + inside @ delta
        left = decay[..., -1, :, None] * keys
        state.mul_(fade[..., -1:, :]).add_(left.transpose(-2, -1) @ delta)
    return o, state
