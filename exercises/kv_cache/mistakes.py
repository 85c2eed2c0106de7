"""What goes wrong in a KV cache."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "overwrites_last": Mistake(
        "An append begins on the last slot that is held, so the newest token of the past is "
        "lost. The first free slot is number length, not length - 1.",
        concept="kv-cache",
    ),
    "reads_unwritten_slots": Mistake(
        "You attend over the whole buffer. Slots that were never written take part with "
        "whatever they hold; attend over the filled part only.",
        concept="kv-cache",
    ),
    "no_causal_in_chunk": Mistake(
        "With several queries at a time, each sees the tokens after it. Among the last t "
        "tokens attention is causal as everywhere.",
        concept="causal-mask",
    ),
    "causal_from_the_start": Mistake(
        "You line the queries up with the first keys: query i sees key 0 to i. They belong to "
        "the last t tokens, so query i sees key 0 to length - t + i.",
        concept="mask-alignment",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d).",
        concept="scaling",
    ),
    "keys_as_values": Mistake(
        "You keep the keys twice and average keys; the weights belong to the values.",
        concept="kv-cache",
    ),
    "concatenates": Mistake(
        "The answer is right, but every append copies all that is held, so n tokens cost n*n. "
        "Write into a buffer that was allocated once.",
        concept="kv-cache-work",
        cost={"append.moved_bytes": "~b*h*m*d + b*h*t*d"},
    ),
    "recomputes_prefix": Mistake(
        "The answer is right, but you attend from all tokens held and keep the last rows: "
        "m*m work where the last t rows cost t*m.",
        concept="kv-cache-work",
        cost={"attend.flops": "~b*h*m*m*d"},
    ),
}


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A cache class with these mistakes."""

    class KVCache:
        def __init__(
            self, batch: int, heads: int, head_dim: int, max_len: int, dtype: torch.dtype
        ) -> None:
            self.buffer = torch.zeros(2, batch, heads, max_len, head_dim, dtype=dtype)
            self.parts: list[tuple[Tensor, Tensor]] = []
            self.held: tuple[Tensor, Tensor] | None = None
            self.length = 0

        def append(self, k: Tensor, v: Tensor) -> None:
            if "keys_as_values" in mistakes:
                v = k
            start = self.length
            if "overwrites_last" in mistakes and start:
                start -= 1
            end = start + k.shape[2]
            if "concatenates" in mistakes:
                past = (self.buffer[0][:, :, :0], self.buffer[1][:, :, :0])
                keys, values = self.held if self.held is not None else past
                self.held = (
                    torch.cat([keys[:, :, :start], k], dim=2),
                    torch.cat([values[:, :, :start], v], dim=2),
                )
            else:
                self.buffer[0][:, :, start:end] = k
                self.buffer[1][:, :, start:end] = v
            self.length = end

        def attend(self, q: Tensor) -> Tensor:
            keys, values = self.buffer[0], self.buffer[1]
            if self.held is not None:
                keys, values = self.held
            if "reads_unwritten_slots" not in mistakes:
                keys, values = keys[:, :, : self.length], values[:, :, : self.length]
            t, m = q.shape[2], keys.shape[2]
            rows = torch.arange(t)[:, None] + self.length - t
            if "causal_from_the_start" in mistakes:
                rows = torch.arange(t)[:, None]
            hidden = torch.arange(m) > rows
            if "no_causal_in_chunk" in mistakes:
                hidden = hidden & False
            if "reads_unwritten_slots" in mistakes:
                hidden = hidden & (torch.arange(m) < self.length)
            scale = 1.0 if "no_scale" in mistakes else q.shape[-1] ** -0.5
            if "recomputes_prefix" in mistakes:
                # Rows for every token held; those before the last t are thrown away.
                q = torch.cat([keys[:, :, : m - t], q], dim=2)
                hidden = torch.cat([hidden.new_zeros(m - t, m), hidden])
            scores = (q * scale) @ keys.transpose(-2, -1)
            weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
            return (weights @ values)[:, :, -t:]

    return {"KVCache": KVCache}
