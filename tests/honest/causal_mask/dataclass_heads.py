"""A dataclass, a closure, a loop over heads, a warning, printing, and names like nobody else's."""

from __future__ import annotations

import functools
import warnings
from dataclasses import dataclass, field

import torch


@dataclass
class Kopf:
    scale: float
    maske: torch.Tensor | None = None
    notes: list[str] = field(default_factory=list)

    def __call__(self, q, k, v):
        s = (q @ k.T) * self.scale
        s = s.masked_fill(self.maske, float("-inf"))
        w = torch.nn.functional.softmax(s, dim=-1)
        w = torch.where(torch.isnan(w), torch.zeros_like(w), w)
        return w @ v


@functools.cache
def maske(n: int, m: int) -> torch.Tensor:
    return torch.ones(n, m).triu(m - n + 1).bool()


def causal_attention(q, k, v):
    warnings.warn("this is only an exercise")
    print("shapes", tuple(q.shape), tuple(k.shape))
    try:
        kopf = Kopf(q.shape[-1] ** -0.5, maske(q.shape[-2], k.shape[-2]))
    except Exception as error:
        raise RuntimeError("no head") from error
    flat = [x.flatten(0, 1).unbind(0) for x in (q, k, v)]
    return torch.stack([kopf(*qkv) for qkv in zip(*flat)]).view_as(q)
