"""What goes wrong in a KV cache in int8."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "scale_per_append": Mistake(
        "Tokens that are appended together share a scale, that of the largest of them. The small "
        "ones are left with a few steps; give every token and head its own.",
        concept="kv-quantization",
        variants=("by_head", "one_for_all"),
    ),
    "scale_shared_by_heads": Mistake(
        "The heads of a token share a scale. Heads differ in size, and the small ones are left "
        "with a few steps; give every token and head its own.",
        concept="kv-quantization",
    ),
    "scale_of_newest_for_all": Mistake(
        "You keep one scale and multiply everything by that of the newest token. What is held was "
        "divided by a scale of its own, token by token, and has to be multiplied by that.",
        concept="kv-quantization",
    ),
    "scale_not_applied": Mistake(
        "You attend to the integers as they are. On the way back each is multiplied by the scale "
        "of its token: that of a key belongs into the score, that of a value into the weight.",
        concept="kv-quantization",
        variants=("keys", "values", "both"),
    ),
    "overflow_at_128": Mistake(
        "The largest number becomes 128, which int8 does not have: it wraps round to -128. "
        "Divide by absmax / 127.",
        concept="kv-quantization",
    ),
    "truncates_instead_of_rounding": Mistake(
        "A conversion to int8 cuts the fraction off: errors are up to a whole step, and all "
        "towards zero. Round first.",
        concept="kv-quantization",
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
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d).",
        concept="scaling",
    ),
    "keeps_float_copy": Mistake(
        "The answer is right, but the floats are kept beside the integers, so the cache takes "
        "more memory than it did before.",
        concept="kv-quantization",
        cost={"hold.held_bytes": "10*b*h*m*d + 8*b*h*m"},
    ),
    "dequantises_everything": Mistake(
        "The answer is right, but attention begins by turning the whole cache into floats: for "
        "as long as it runs, nothing is saved. Work on one head at a time.",
        concept="kv-quantization",
        cost={"attend.peak_bytes": "~b*h*m*d + b*h*t*m"},
    ),
}


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A cache class with these mistakes."""

    class Int8KVCache:
        def __init__(self, batch: int, heads: int, head_dim: int, max_len: int) -> None:
            self.shape = (2, batch, heads, max_len, head_dim)
            self.held = torch.zeros(self.shape, dtype=torch.int8)
            self.length = 0

        def append(self, k: Tensor, v: Tensor) -> None:
            if self.length == 0:
                copies = "keeps_float_copy" in mistakes
                self.scales = torch.zeros(*self.shape[:-1], 1, dtype=k.dtype)
                self.floats = torch.zeros(self.shape, dtype=k.dtype) if copies else None
            end = self.length + k.shape[2]
            for part, x in enumerate((k, v)):
                scale = _scale(x, mistakes)
                steps = x / torch.where(scale == 0, 1, scale)
                if "truncates_instead_of_rounding" not in mistakes:
                    steps = steps.round()
                # By way of a wider type, from which a conversion wraps round.
                self.held[part][:, :, self.length : end] = steps.to(torch.int32).to(torch.int8)
                self.scales[part][:, :, self.length : end] = scale
                if self.floats is not None:
                    self.floats[part][:, :, self.length : end] = x
            self.length = end

        def attend(self, q: Tensor) -> Tensor:
            whole = "reads_unwritten_slots" in mistakes
            m = self.held.shape[3] if whole else self.length
            t = q.shape[2]
            hidden = torch.arange(m) > torch.arange(t)[:, None] + self.length - t
            if "no_causal_in_chunk" in mistakes:
                hidden = hidden & False
            elif whole:
                # Causal among those held; the slots behind are seen by all.
                hidden = hidden & (torch.arange(m) < self.length)
            scale = 1.0 if "no_scale" in mistakes else q.shape[-1] ** -0.5
            if "dequantises_everything" in mistakes:
                k, v = self._floats(slice(None), m)
                scores = (q * scale) @ k.transpose(-2, -1)
                return torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1) @ v
            found = torch.empty_like(q)
            for head in range(q.shape[1]):
                k, v = self._floats(head, m)
                scores = (q[:, head] * scale) @ k.transpose(-2, -1)
                weights = torch.softmax(scores.masked_fill(hidden, -torch.inf), dim=-1)
                found[:, head] = weights @ v
            return found

        def _floats(self, heads: int | slice, m: int) -> tuple[Tensor, Tensor]:
            """Keys and values of a head or of all."""
            if self.floats is not None:
                k, v = self.floats
                return k[:, heads, ..., :m, :], v[:, heads, ..., :m, :]
            found = []
            for part, name in enumerate(("keys", "values")):
                scales = self.scales[part][:, heads, ..., :m, :]
                if "scale_of_newest_for_all" in mistakes:
                    newest = slice(self.length - 1, self.length)
                    scales = self.scales[part][:, heads, ..., newest, :]
                if mistakes & {f"scale_not_applied:{name}", "scale_not_applied:both"}:
                    scales = torch.ones_like(scales)
                found.append(self.held[part][:, heads, ..., :m, :] * scales)
            return found[0], found[1]

    return {"Int8KVCache": Int8KVCache}


def _scale(x: Tensor, mistakes: frozenset[str]) -> Tensor:
    """(b, h, t, 1) or what broadcasts to it."""
    axes = [-1]
    if "scale_per_append:one_for_all" in mistakes:
        axes = [0, 1, 2, 3]
    else:
        if "scale_per_append:by_head" in mistakes:
            axes.append(2)
        if "scale_shared_by_heads" in mistakes:
            axes.append(1)
    top = x.abs().amax(axes, keepdim=True)
    return top / (128 if "overflow_at_128" in mistakes else 127)
