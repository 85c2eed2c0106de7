"""A streaming cache with attention sinks: fixed slots, then a ring."""

import torch


class SinkCache:
    """Keys and values of the first tokens of a stream and of its latest.

    Cost, however long the stream is: 8*b*h*(sinks + window)*d bytes held in float32,
    16*b*h*d bytes moved by an append, 4*b*h*(sinks + window)*d flops by an attention.
    """

    def __init__(self, batch: int, heads: int, head_dim: int, sinks: int, window: int) -> None:
        self.shape = (batch, heads, sinks + window, head_dim)
        self.sinks = sinks
        self.window = window
        self.count = 0

    def append(self, k: torch.Tensor, v: torch.Tensor) -> None:
        """Take the next token of the stream: k, v (b, h, 1, d)."""
        if self.count == 0:
            # Only now is the dtype known.
            self.keys = k.new_empty(self.shape)
            self.values = v.new_empty(self.shape)

        # The sinks stay where they are; behind them each token takes the place of the oldest.
        slot = self.count
        if slot >= self.sinks:
            slot = self.sinks + (slot - self.sinks) % self.window
        self.keys[:, :, slot : slot + 1] = k
        self.values[:, :, slot : slot + 1] = v
        self.count += 1

    def attend(self, q: torch.Tensor) -> torch.Tensor:
        """Attention of the newest token: q (b, h, 1, d) to o (b, h, 1, d)."""
        # The ring is out of order once it has gone round, and a weighted sum does not mind.
        filled = min(self.count, self.shape[2])
        keys, values = self.keys[:, :, :filled], self.values[:, :, :filled]
        scores = (q * q.shape[-1] ** -0.5) @ keys.transpose(-2, -1)
        return torch.softmax(scores, dim=-1) @ values
