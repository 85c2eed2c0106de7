"""Knows which pages were shared, and not by how many: the second free gives them back.

exercise: paged_kv_cache
stage: correctness
says: of
"""

from dataclasses import dataclass, field

import torch


class OutOfPages(RuntimeError):
    """More pages are needed than are free."""


@dataclass
class Sequence:
    """A handle: the pages that hold its tokens, in order, and how many tokens these are."""

    table: list[int] = field(default_factory=list)
    length: int = 0


class PagedKVCache:
    """Keys and values of many sequences in one pool of pages."""

    def __init__(self, pages: int, page_size: int, heads: int, head_dim: int) -> None:
        self.shape = (2, pages, heads, page_size, head_dim)
        self.page_size = page_size
        self.free_pages = list(range(pages))
        # Of each page in use, how many sequences hold it.
        self.holders: dict[int, int] = {}
        self.pool: torch.Tensor | None = None

    def allocate(self) -> Sequence:
        """A new sequence without tokens; it takes no page yet."""
        return Sequence()

    def append(self, seq: Sequence, k: torch.Tensor, v: torch.Tensor) -> None:
        """Hold t more tokens of a sequence: k, v (h, t, d). Raises OutOfPages."""
        size, end = self.page_size, seq.length + k.shape[1]
        # Only a last page that has room is written to, and only if it is shared is it copied.
        shared = seq.length % size > 0 and self.holders[seq.table[-1]] > 1
        more = -(-end // size) - len(seq.table)
        # Everything is counted before anything is taken.
        if more + shared > len(self.free_pages):
            raise OutOfPages(f"{more + shared} pages needed, {len(self.free_pages)} free")
        if self.pool is None:
            # Only now are dtype and device known.
            self.pool = k.new_empty(self.shape)
        if shared:
            old, seq.table[-1] = seq.table[-1], self._take()
            self.pool[:, seq.table[-1]] = self.pool[:, old]
            self.holders[old] -= 1
        seq.table += [self._take() for _ in range(more)]

        written = 0
        while seq.length < end:
            page, slot = seq.table[seq.length // size], seq.length % size
            count = min(size - slot, end - seq.length)
            new = slice(written, written + count)
            self.pool[0, page, :, slot : slot + count] = k[:, new]
            self.pool[1, page, :, slot : slot + count] = v[:, new]
            written += count
            seq.length += count

    def attend(self, seq: Sequence, q: torch.Tensor) -> torch.Tensor:
        """Attention over all tokens of a sequence that has some: q (h, 1, d) to o (h, 1, d)."""
        # What lies behind the last token is left out, not masked: it may be NaN.
        keys, values = (
            torch.cat([part[page] for page in seq.table], dim=1)[:, : seq.length]
            for part in self.pool
        )
        scores = (q * q.shape[-1] ** -0.5) @ keys.transpose(-2, -1)
        return torch.softmax(scores, dim=-1) @ values

    def fork(self, seq: Sequence) -> Sequence:
        """A second sequence that goes on from the same tokens; it takes no page."""
        for page in seq.table:
            self.holders[page] = 2
        return Sequence(list(seq.table), seq.length)

    def free(self, seq: Sequence) -> None:
        """Give up a sequence; pages that no other one holds can be used again."""
        for page in seq.table:
            self.holders[page] -= 1
            if self.holders[page] == 0:
                del self.holders[page]
                self.free_pages.append(page)

    def used_pages(self) -> int:
        """The pages that some sequence holds."""
        return len(self.holders)

    def _take(self) -> int:
        page = self.free_pages.pop()
        self.holders[page] = 1
        return page
