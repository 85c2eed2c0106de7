"""A class holds the running state; generators give tiles; type hints everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(slots=True)
class State:
    top: Tensor
    total: Tensor
    acc: Tensor

    @classmethod
    def empty(cls, q: Tensor, wide: torch.dtype) -> State:
        column = (*q.shape[:-1], 1)
        return cls(
            torch.full(column, torch.finfo(wide).min, dtype=wide),
            torch.zeros(column, dtype=wide),
            torch.zeros(q.shape, dtype=wide),
        )

    def see(self, scores: Tensor, values: Tensor) -> None:
        top = torch.maximum(self.top, scores.amax(-1, keepdim=True))
        weights = scores.sub(top).exp()
        shrink = self.top.sub(top).exp()
        self.total = torch.addcmul(weights.sum(-1, keepdim=True), self.total, shrink)
        self.acc = self.acc * shrink + weights @ values
        self.top = top

    def finish(self) -> tuple[Tensor, Tensor]:
        seen = self.total > 0
        o = torch.where(seen, self.acc / self.total, torch.zeros_like(self.acc))
        lse = torch.where(seen, self.top + self.total.log(), -torch.inf)
        return o, lse[..., 0]


def spans(length: int, block: int) -> Iterator[slice]:
    for start in range(0, length, block):
        yield slice(start, min(start + block, length))


def flash_attention(
    q: Tensor, k: Tensor, v: Tensor, block: int, causal: bool = False
) -> tuple[Tensor, Tensor]:
    n, m = q.shape[-2], k.shape[-2]
    wide = torch.promote_types(q.dtype, torch.float32)
    results = []
    for rows in spans(n, block):
        queries = q[..., rows, :].to(wide).mul(q.shape[-1] ** -0.5)
        state = State.empty(queries, wide)
        for keys in spans(m, block):
            if causal and keys.start > rows.stop - 1 + m - n:
                continue
            scores = queries @ k[..., keys, :].to(wide).mT
            if causal and keys.stop - 1 > rows.start + m - n:
                i = torch.arange(rows.start, rows.stop).unsqueeze(-1)
                j = torch.arange(keys.start, keys.stop)
                scores = scores.masked_fill(j > i + m - n, -torch.inf)
            state.see(scores, v[..., keys, :].to(wide))
        results.append(state.finish())
    outs, sums = zip(*results)
    return torch.cat(outs, dim=-2).to(q.dtype), torch.cat(sums, dim=-1)
