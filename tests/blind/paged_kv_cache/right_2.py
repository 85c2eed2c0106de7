from __future__ import annotations

from dataclasses import dataclass, field

import torch


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


@dataclass(eq=False)
class Sequence:
    pages: list[int] = field(default_factory=list)
    length: int = 0


class PagedKVCache:
    """Keys and values lie in flat pools; page p owns the slots p*size to (p+1)*size - 1."""

    def __init__(self, pages: int, page_size: int, heads: int, head_dim: int) -> None:
        self.size = page_size
        self.keys = torch.empty(pages * page_size, heads, head_dim)
        self.values = torch.empty(pages * page_size, heads, head_dim)
        self.refs = torch.zeros(pages, dtype=torch.int64)

    def allocate(self) -> Sequence:
        return Sequence()

    def _slots(self, seq: Sequence, start: int, stop: int) -> torch.Tensor:
        position = torch.arange(start, stop)
        table = torch.tensor(seq.pages, dtype=torch.int64)
        return table[position // self.size] * self.size + position % self.size

    def append(self, seq: Sequence, k: torch.Tensor, v: torch.Tensor) -> None:
        stop = seq.length + k.size(1)
        shared = seq.length % self.size > 0 and int(self.refs[seq.pages[-1]]) > 1
        missing = -(-stop // self.size) - len(seq.pages)
        free = (self.refs == 0).nonzero().flatten().tolist()
        if missing + int(shared) > len(free):
            raise OutOfPages
        if shared:
            filled = seq.length % self.size
            source, target = seq.pages[-1], free.pop(0)
            src, dst = source * self.size, target * self.size
            self.keys[dst : dst + filled] = self.keys[src : src + filled]
            self.values[dst : dst + filled] = self.values[src : src + filled]
            self.refs[source] -= 1
            self.refs[target] += 1
            seq.pages[-1] = target
        fresh = free[:missing]
        self.refs[fresh] += 1
        seq.pages.extend(fresh)
        slots = self._slots(seq, seq.length, stop)
        self.keys[slots] = k.transpose(0, 1)
        self.values[slots] = v.transpose(0, 1)
        seq.length = stop

    def attend(self, seq: Sequence, q: torch.Tensor) -> torch.Tensor:
        slots = self._slots(seq, 0, seq.length)
        keys = self.keys.index_select(0, slots)
        values = self.values.index_select(0, slots)
        scores = torch.einsum("hqd,mhd->hqm", q, keys) * q.size(-1) ** -0.5
        weights = scores.softmax(dim=-1)
        return torch.einsum("hqm,mhd->hqd", weights, values)

    def fork(self, seq: Sequence) -> Sequence:
        self.refs[seq.pages] += 1
        return Sequence(list(seq.pages), seq.length)

    def free(self, seq: Sequence) -> None:
        self.refs[seq.pages] -= 1

    def used_pages(self) -> int:
        return int((self.refs > 0).sum())
