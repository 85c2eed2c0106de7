"""What goes wrong in a streaming cache."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from quizprep.exercise import Mistake

MISTAKES = {
    "evicts_sinks": Mistake(
        "One window slides over everything, so the first tokens are evicted like any other. They "
        "are where heads put the weight that they have no use for; without them a stream falls "
        "apart as soon as the window is full. Keep the first `sinks` tokens for good.",
        concept="attention-sinks",
        variants=("last_window", "last_sinks_and_window"),
    ),
    "only_sinks_and_newest": Mistake(
        "Once the cache is full you overwrite one and the same slot, so that the window no "
        "longer moves. The slot after the sinks is (t - sinks) % window.",
        concept="bounded-cache",
    ),
    "window_off_by_one": Mistake(
        "Your window is one token too long or too short: the last `window` tokens are visible, "
        "the newest among them.",
        concept="bounded-cache",
        variants=("one_more", "one_less"),
    ),
    "skips_newest": Mistake(
        "The newest token is not attended to. It is appended before its query attends, and it "
        "sees itself.",
        concept="kv-cache",
    ),
    "double_counted_overlap": Mistake(
        "While the stream is short, its first tokens are sinks and in the window as well, and you "
        "count them twice. Each token is attended to once.",
        concept="attention-sinks",
    ),
    "reads_unwritten_slots": Mistake(
        "While the stream is short you attend over slots that hold nothing yet; zeros there have "
        "a score of 0, which is a weight of exp(0). Attend over the filled slots only.",
        concept="bounded-cache",
    ),
    "no_scale": Mistake(
        "You do not divide the scores by sqrt(d).",
        concept="scaling",
    ),
    "keys_as_values": Mistake(
        "You keep the keys twice and average keys; the weights belong to the values.",
        concept="kv-cache",
    ),
    "keeps_everything": Mistake(
        "The answer is right, but evicted tokens are still held: the cache grows with the "
        "stream, and a stream has no end. Let go of what leaves the window.",
        concept="bounded-cache",
        cost={"stream.held_bytes": "~b*h*n*d"},
    ),
}


def build(mistakes: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A cache class with these mistakes."""

    class SinkCache:
        def __init__(self, batch: int, heads: int, head_dim: int, sinks: int, window: int) -> None:
            self.capacity = sinks + window
            if "evicts_sinks:last_window" in mistakes:
                sinks = 0
            elif "evicts_sinks:last_sinks_and_window" in mistakes:
                sinks, window = 0, sinks + window
            if "window_off_by_one:one_more" in mistakes:
                window += 1
            elif "window_off_by_one:one_less" in mistakes:
                window -= 1
            self.sinks, self.window = sinks, window
            self.count = 0
            self.tokens: list[tuple[int, Tensor, Tensor]] = []

        def append(self, k: Tensor, v: Tensor) -> None:
            if "keys_as_values" in mistakes:
                v = k
            self.tokens.append((self.count, k.clone(), v.clone()))
            self.count += 1
            if "keeps_everything" not in mistakes:
                self.tokens = self._seen()

        def _seen(self) -> list[tuple[int, Tensor, Tensor]]:
            if "only_sinks_and_newest" in mistakes:
                # The window as it was first filled, but for its last slot.
                full = self.sinks + max(self.window, 1)
                return self.tokens[: full - 1] + self.tokens[full - 1 :][-1:]
            start = self.count - self.window
            return [token for token in self.tokens if token[0] < self.sinks or token[0] >= start]

        def attend(self, q: Tensor) -> Tensor:
            tokens = self._seen()
            if "double_counted_overlap" in mistakes:
                tokens = [x for x in tokens if x[0] < self.sinks] + [
                    x for x in tokens if x[0] >= self.count - self.window
                ]
            if "skips_newest" in mistakes:
                tokens = [token for token in tokens if token[0] != self.count - 1]
            nothing = q[:, :, :0]
            k = torch.cat([nothing, *(k for _, k, _ in tokens)], dim=2)
            v = torch.cat([nothing, *(v for _, _, v in tokens)], dim=2)
            if "reads_unwritten_slots" in mistakes:
                missing = self.capacity - k.shape[2]
                if missing > 0:
                    empty = torch.zeros_like(q).expand(-1, -1, missing, -1)
                    k, v = torch.cat([k, empty], dim=2), torch.cat([v, empty], dim=2)
            scale = 1.0 if "no_scale" in mistakes else q.shape[-1] ** -0.5
            scores = (q * scale) @ k.transpose(-2, -1)
            return torch.softmax(scores, dim=-1) @ v

    return {"SinkCache": SinkCache}
