"""A KV cache, in PyTorch."""

import torch


class KVCache:
    """Keys and values in buffers that are allocated once.

    Cost, with m tokens held before the last t: append moves 16*b*h*t*d bytes in float32 whatever
    m is; attend takes 4*b*h*t*(m + t)*d flops, where recomputing every row would take
    4*b*h*(m + t)^2*d.
    """

    def __init__(
        self, batch: int, heads: int, head_dim: int, max_len: int, dtype: torch.dtype
    ) -> None:
        self.keys = torch.empty(batch, heads, max_len, head_dim, dtype=dtype)
        self.values = torch.empty_like(self.keys)
        self.length = 0

    def append(self, k: torch.Tensor, v: torch.Tensor) -> None:
        """Hold t more tokens: k, v (b, h, t, d)."""
        end = self.length + k.shape[2]
        # In place: a concatenation would copy everything held for every new token.
        self.keys[:, :, self.length : end] = k
        self.values[:, :, self.length : end] = v
        self.length = end

    def attend(self, q: torch.Tensor) -> torch.Tensor:
        """Attention of the last t tokens held: q (b, h, t, d) to o (b, h, t, d)."""
        # Views of what is filled; the slots behind may hold anything, NaN included.
        keys, values = self.keys[:, :, : self.length], self.values[:, :, : self.length]
        scores = (q * q.shape[-1] ** -0.5) @ keys.transpose(-2, -1)
        # Query i of the t sits at position length - t + i. A single one sees everything.
        t = q.shape[2]
        future = torch.ones(t, self.length, dtype=torch.bool, device=q.device)
        scores.masked_fill_(future.triu(self.length - t + 1), -torch.inf)
        return torch.softmax(scores, dim=-1) @ values
