"""The gated delta rule with a switch for every known mistake; with none on it is right."""

from __future__ import annotations

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "no_erase": Mistake(
        "You add beta * k^T v and never look at what the state holds for this key: that is gated "
        "linear attention. The delta rule writes v minus what it reads.",
        concept="delta-rule",
    ),
    "error_before_decay": Mistake(
        "v is compared with what the state held before it faded. First alpha * S, then k S.",
        concept="delta-rule",
    ),
    "decay_after_write": Mistake(
        "The state fades after the write, so that the new value fades at once. alpha_t belongs "
        "to what was there before token t.",
        concept="delta-rule",
    ),
    "beta_on_one_term": Mistake(
        "beta multiplies only one of the two terms: it says how far the state moves towards v, "
        "so it belongs to the erased and to the written part.",
        concept="delta-rule",
        variants=("written", "erased"),
    ),
    "no_decay": Mistake(
        "alpha is not used: nothing ever fades.",
        concept="delta-rule",
    ),
    "decay_not_cumulative": Mistake(
        "Inside a chunk the old state fades by the token's own alpha instead of the product of "
        "all alphas up to it.",
        concept="delta-rule",
    ),
    "reads_before_write": Mistake(
        "Each query reads the state before its own token was written. o_t is read last.",
        concept="delta-rule",
    ),
    "forgets_between_chunks": Mistake(
        "Each chunk begins with a state of zeros. What the chunks before it left has to go on.",
        concept="linear-attention",
    ),
    "scaled_queries": Mistake(
        "You divide by sqrt(d). There is no softmax here whose spread would need it.",
        concept="scaling",
    ),
    "state_per_token": Mistake(
        "The answer is right, but you keep a state for each token: n times d*e numbers. One "
        "state is enough, read and overwritten token by token.",
        concept="linear-attention",
        cost={"peak_bytes": "~b*h*n*d*e"},
    ),
}


def solve(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    alpha: Tensor,
    beta: Tensor,
    chunk: int,
    mistakes: frozenset[str] = frozenset(),
) -> tuple[Tensor, Tensor]:
    """o: (b, h, n, e); state: (b, h, d, e)."""
    wide = torch.promote_types(v.dtype, torch.float32)
    q, k, x, alpha, beta = (each.to(wide) for each in (q, k, v, alpha, beta))
    if "scaled_queries" in mistakes:
        q = q * q.shape[-1] ** -0.5
    if "no_decay" in mistakes:
        alpha = torch.ones_like(alpha)
    state = x.new_zeros(*q.shape[:2], q.shape[-1], x.shape[-1])
    states = []
    for t in range(q.shape[2]):
        now = slice(t, t + 1)
        key, gate, step = k[:, :, now], alpha[:, :, now, None], beta[:, :, now, None]
        if t % chunk == 0:
            # The state is that at the chunk's beginning, faded, and what was written since.
            start = torch.zeros_like(state) if "forgets_between_chunks" in mistakes else state
            fade, since = torch.ones_like(gate), torch.zeros_like(state)
        old = fade * start + since
        faded = gate if "decay_not_cumulative" in mistakes else gate * fade
        if "decay_after_write" not in mistakes:
            fade, since = faded, gate * since
        before = fade * start + since
        held = key @ (old if "error_before_decay" in mistakes else before)
        written, erased = step * x[:, :, now], step * held
        if "beta_on_one_term:written" in mistakes:
            erased = held
        elif "beta_on_one_term:erased" in mistakes:
            written = x[:, :, now]
        if "no_erase" in mistakes:
            erased = torch.zeros_like(erased)
        since = since + key.transpose(-2, -1) @ (written - erased)
        if "decay_after_write" in mistakes:
            fade, since = faded, gate * since
        state = fade * start + since
        states.append(before if "reads_before_write" in mistakes else state)
    rows = [q[:, :, t : t + 1] @ each for t, each in enumerate(states)]
    return torch.cat(rows, dim=2).to(v.dtype), state
